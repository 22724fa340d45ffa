// The list of places gets shorter while somebody types; choosing one leaves no extra page to come back to.
var field = byId("q"), towns = byId("towns"), rows = Array.prototype.slice.call(towns.children);
function flat(text) { return text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[^a-z0-9]+/g, " ").trim(); }

field.addEventListener("input", function () {
  var wanted = flat(field.value), shown = 0;
  rows.forEach(function (row) {
    row.hidden = flat(row.textContent).indexOf(wanted) < 0;
    if (!row.hidden) shown += 1;
  });
  byId("none").textContent = rows.length && !shown ? page.label.nothing_found : "";
});
towns.addEventListener("click", function (event) {
  var link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  location.replace(link.href);
});
