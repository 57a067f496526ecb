// Ticking rows of a table: all at once, by keyboard, and how many are meant. Without it every box is ticked by itself.
const form = document.querySelector("form[data-selection]");
if (form) {
  const boxes = [...form.querySelectorAll('input[name="finding"]')];
  const all = form.querySelector("input[data-all]");
  const told = form.querySelector("[data-count]");
  const tell = () => {
    const count = boxes.filter((box) => box.checked).length;
    boxes.forEach((box) => box.closest("tr").setAttribute("aria-selected", String(box.checked)));
    if (told) told.textContent = told.dataset.count.replace("{count}", count.toLocaleString());
    if (all) all.checked = count > 0 && count === boxes.length;
  };
  all?.addEventListener("change", () => { boxes.forEach((box) => { box.checked = all.checked; }); tell(); });
  form.addEventListener("change", tell);
  form.addEventListener("keydown", (event) => {
    const at = boxes.indexOf(event.target);
    if (at < 0) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
    if (to !== undefined && boxes[to]) { boxes[to].focus(); event.preventDefault(); }
    if (event.key === "Enter") { event.target.closest("tr").querySelector("a")?.click(); event.preventDefault(); }
  });
  tell();
}
