// Tables by keyboard: arrows move between rows, space ticks, Enter opens; ticking all at once, and what an act will do to how many.
// Without it every box is ticked by itself and every link followed by Tab.
const control = (row, like) => row?.querySelector(like.matches("input") ? 'input[type="checkbox"]' : "a[href]") ?? row?.querySelector("a[href]");

document.querySelectorAll("table[data-rows]").forEach((table) => {
  const rows = [...table.tBodies[0].rows];
  table.addEventListener("keydown", (event) => {
    const row = event.target.closest("tbody tr");
    if (!row || event.ctrlKey || event.altKey || event.metaKey) return;
    const at = rows.indexOf(row);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    const box = row.querySelector('input[type="checkbox"]');
    if (to !== undefined) control(rows[to], event.target)?.focus();
    else if (event.key === "Enter" && event.target === box) row.querySelector("a[href]")?.click();
    else if (event.key === " " && event.target !== box && box) box.click();
    else return;
    event.preventDefault();
  });
});

const form = document.querySelector("form[data-selection]");
if (form) {
  const boxes = [...form.querySelectorAll('input[name="finding"]')];
  const page = form.querySelector("input[data-page]");
  const every = form.querySelector('input[name="all"]');
  const told = form.querySelector("[data-count]");
  const tell = () => {
    const ticked = boxes.filter((box) => box.checked);
    boxes.forEach((box) => box.closest("tr").setAttribute("aria-selected", String(box.checked)));
    if (told) told.textContent = told.dataset.count.replace("{count}", ticked.length.toLocaleString());
    if (page) page.checked = ticked.length > 0 && ticked.length === boxes.length;
    form.querySelectorAll("[data-effect]").forEach((effect) => {
      const count = ticked.filter((box) => box.closest("tr").dataset.holder === effect.dataset.effect).length;
      effect.textContent = every.checked ? effect.dataset.all : effect.dataset.some.replace("{count}", count.toLocaleString());
    });
  };
  page?.addEventListener("change", () => { boxes.forEach((box) => { box.checked = page.checked; }); tell(); });
  form.addEventListener("change", tell);
  tell();
}
