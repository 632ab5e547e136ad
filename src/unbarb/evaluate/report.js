// Sorts and filters the tables of examples; the page reads the same without it.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const key = (row, at) => {
    const cell = row.cells[at];
    return cell.dataset.value === undefined ? cell.textContent : cell.dataset.value === "" ? NaN : Number(cell.dataset.value);
  };
  const sort = (at, up) => {
    const rows = [...body.rows];
    rows.sort((a, b) => {
      const x = key(a, at), y = key(b, at);
      if (typeof x === "string") return up ? x.localeCompare(y) : y.localeCompare(x);
      if (Number.isNaN(x)) return 1; // what has no number comes last either way
      if (Number.isNaN(y)) return -1;
      return up ? x - y : y - x;
    });
    body.append(...rows);
    heads.forEach((head, i) => head.setAttribute("aria-sort", i !== at ? "none" : up ? "ascending" : "descending"));
  };
  heads.forEach((head, at) => {
    const act = () => sort(at, head.getAttribute("aria-sort") !== "ascending");
    head.tabIndex = 0;
    head.addEventListener("click", act);
    head.addEventListener("keydown", (event) => { if (event.key === "Enter") act(); });
  });
  const box = table.closest("section");
  const words = box?.querySelector("input[type=search]");
  const system = box?.querySelector("select");
  const show = () => {
    const wanted = (words?.value ?? "").toLowerCase();
    for (const row of body.rows) {
      row.hidden = (system?.value && row.dataset.system !== system.value) || !row.textContent.toLowerCase().includes(wanted);
    }
  };
  words?.addEventListener("input", show);
  system?.addEventListener("change", show);
}
