// Talking to our own server. Pages come as parsed documents, never as strings that are put into the page (Trusted Types forbids it).

export class Gone extends Error {} // the session has ended
export class Lost extends Error {} // the chat is not ours any more, or not there
export class Refused extends Error {} // the server will not take this message as it is

export function fragment(path, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", path);
    request.responseType = "document";
    request.timeout = 10000;
    request.setRequestHeader("X-Console", "1");
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.onload = () => {
      if (request.status === 200 && request.responseXML) resolve(request.responseXML);
      else if (request.status === 401) reject(new Gone());
      else if (request.status === 409 || request.status === 404) {
        const reason = request.responseXML && request.responseXML.getElementById("reden");
        reject(new Lost(reason ? reason.textContent : "Dit gesprek is er niet meer. Een kind kan het zelf wissen."));
      } else reject(new Error(String(request.status)));
    };
    request.onerror = request.ontimeout = () => reject(new Error("network"));
    request.send();
  });
}

export async function send(path, values) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Console": "1" },
    body: JSON.stringify(values),
    signal: AbortSignal.timeout(10000),
  });
  if (response.ok) return;
  if (response.status === 401) throw new Gone();
  if (response.status === 404 || response.status === 409) throw new Lost("");
  if (response.status === 422) throw new Refused((await response.json()).fault);
  if (response.status < 500 && response.status !== 408) throw new Refused("Uw bericht is niet verstuurd.");
  throw new Error(String(response.status));
}
