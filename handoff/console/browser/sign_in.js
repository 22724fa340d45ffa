// A switch to see the passphrase while typing it; without a script the field simply stays hidden.

const box = document.getElementById("toon");
document.getElementById("toon-rij").hidden = false;
box.addEventListener("change", () => {
  document.getElementById("wachtzin").type = box.checked ? "text" : "password";
});
