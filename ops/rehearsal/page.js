"use strict";
// Sorting: a click on a column's head orders the rows by it, a second click the other way round.
for (const head of document.querySelectorAll("thead th button")) {
  head.addEventListener("click", () => {
    const cell = head.parentElement;
    const table = cell.closest("table");
    const index = [...cell.parentElement.children].indexOf(cell);
    const ascending = cell.getAttribute("aria-sort") !== "ascending";
    for (const other of cell.parentElement.children) other.removeAttribute("aria-sort");
    cell.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const value = (row) => row.children[index].textContent.trim();
    const rows = [...table.tBodies[0].rows].sort((one, two) =>
      value(one).localeCompare(value(two), undefined, { numeric: true }));
    table.tBodies[0].append(...(ascending ? rows : rows.reverse()));
  });
}
// Filtering: every filter must match; the search looks at all that a row says.
const form = document.getElementById("filters");
if (form) {
  const rows = [...document.querySelectorAll("#resources > tbody > tr")];
  const filter = () => {
    const text = form.querySelector("input").value.toLowerCase();
    const wanted = [...form.querySelectorAll("select")].map((choice) => [choice.dataset.filter, choice.value]);
    let shown = 0;
    for (const row of rows) {
      const fits = wanted.every(([name, value]) => !value || row.dataset[name] === value)
        && (!text || row.textContent.toLowerCase().includes(text));
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    form.querySelector("output").textContent = `${shown} of ${rows.length}`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
}
