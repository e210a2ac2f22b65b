// Sorts and pages the rows that are there; each table of the page once.
for (const root of document.querySelectorAll(".spark-kernel-table:not([data-on])")) {
  root.dataset.on = "";
  const table = root.querySelector("table");
  if (!table) continue;
  const body = table.tBodies[0], all = [...body.rows], size = 50;
  let rows = all, start = 0, sorted, descends;
  const keys = {
    n: t => [BigInt(t.replace(".", "")), 0],
    f: t => t === "NaN" ? [Infinity, 1] : [Number(t), 0],
    s: t => [t, 0],
    d: t => {
      const [, moment, fraction, offset] = /^(.{19})(\.\d+)?(.*)$/.exec(t);
      return [Date.parse(moment.replace(" ", "T") + offset), Number(fraction || 0)];
    },
  };
  const order = (a, b) => a < b ? -1 : a > b ? 1 : 0;
  const button = (text, label, act) => {
    const made = document.createElement("button");
    made.type = "button"; made.textContent = text; made.onclick = act;
    if (label) made.setAttribute("aria-label", label);
    return made;
  };
  const nav = document.createElement("nav"), where = document.createElement("span");
  const turn = by => () => { start += by; show(); };
  const back = button("\u2039", "Previous rows", turn(-size)), on = button("\u203a", "Next rows", turn(size));
  where.setAttribute("aria-live", "polite");
  const show = () => {
    body.replaceChildren(...rows.slice(start, start + size));
    where.textContent = `${start + 1}\u2013${Math.min(start + size, rows.length)} of ${rows.length}`;
    back.disabled = start === 0;
    on.disabled = start + size >= rows.length;
  };
  const sort = (head, column, code) => {
    descends = sorted === head && !descends;
    if (sorted) sorted.setAttribute("aria-sort", "none");
    sorted = head;
    head.setAttribute("aria-sort", descends ? "descending" : "ascending");
    const keyed = all.map(row => {
      const cell = row.cells[column];
      return [row, cell.firstElementChild ? null : keys[code](cell.textContent.replace(/\n$/, ""))];
    });
    keyed.sort(([, a], [, b]) => !a || !b ? !a - !b
      : (order(a[0], b[0]) || order(a[1], b[1])) * (descends ? -1 : 1));
    rows = keyed.map(([row]) => row);
    start = 0;
    show();
  };
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const code = head.dataset.sort, name = head.firstElementChild;
    if (!code || all.length < 2) return;
    head.setAttribute("aria-sort", "none");
    name.replaceWith(button(name.textContent, "", () => sort(head, column, code)));
  });
  if (all.length > size) {
    nav.setAttribute("aria-label", "Rows");
    nav.append(back, where, on);
    root.append(nav);
    show();
  }
}
