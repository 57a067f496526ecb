// Forms that send files: files may be dropped onto them, and how far the sending is can be seen. What comes back is the server's page.
const start = () => document.querySelectorAll("form[data-sending]").forEach(enhance);

const enhance = (form) => {
  const input = form.querySelector('input[type="file"]');
  const zone = document.createElement("p");
  zone.className = "drop";
  zone.textContent = form.dataset.drop;
  input.after(zone);
  const over = (is) => (event) => { event.preventDefault(); zone.classList.toggle("over", is); };
  zone.addEventListener("dragover", over(true));
  zone.addEventListener("dragleave", over(false));
  zone.addEventListener("drop", (event) => {
    over(false)(event);
    const given = new DataTransfer();
    [...event.dataTransfer.files].slice(0, input.multiple ? undefined : 1).forEach((file) => given.items.add(file));
    if (given.files.length) input.files = given.files;
    input.dispatchEvent(new Event("change"));
  });
  input.addEventListener("change", () => {
    zone.textContent = [...input.files].map((file) => file.name).join(form.dataset.comma) || form.dataset.drop;
  });
  form.addEventListener("submit", (event) => {
    if (!input.files.length) return;
    event.preventDefault();
    send(form, zone);
  });
};

const send = (form, zone) => {
  const bar = document.createElement("progress");
  const told = document.createElement("span");
  const button = form.querySelector("button");
  bar.max = 100;
  bar.setAttribute("aria-label", zone.textContent);
  told.setAttribute("role", "status");
  zone.replaceChildren(bar, told);
  button.disabled = true;
  const request = new XMLHttpRequest();
  request.upload.addEventListener("progress", (event) => {
    bar.value = event.lengthComputable ? Math.floor((event.loaded / event.total) * 100) : 0;
    told.textContent = form.dataset.sending.replace("{percent}", bar.value);
  });
  request.upload.addEventListener("load", () => { bar.removeAttribute("value"); told.textContent = form.dataset.checking; });
  const failed = (why) => { bar.remove(); told.className = "wrong"; told.textContent = why; button.disabled = false; };
  request.addEventListener("error", () => failed(form.dataset.failed));
  request.addEventListener("load", () => show(request, form, failed));
  request.open("POST", form.action);
  request.send(new FormData(form));
};

const show = (request, form, failed) => {
  if (request.responseURL !== form.action) { location.assign(request.responseURL); return; }
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const main = page.querySelector("main");
  if (!main) { failed(request.responseText.trim() || form.dataset.failed); return; }
  document.querySelector("main").replaceWith(document.adoptNode(main));
  document.dispatchEvent(new Event("desk:page"));
  const said = main.querySelector(".wrong, .said:not([hidden])") ?? main;
  said.tabIndex = -1;
  said.focus();
};

document.addEventListener("desk:page", start);
start();
