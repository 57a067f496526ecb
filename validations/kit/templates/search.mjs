// Finds what holds every word typed, names before texts. The entries stand in the page, so that it works from a disk.
const SHOWN = 200;
const entries = JSON.parse(document.getElementById("entries").textContent).map(
  ([kind, name, title, address, words]) => ({ kind, name, title, address, text: `${name} ${title} ${words}`.toLowerCase() }),
);
const input = document.getElementById("words");
const found = document.getElementById("found");
const count = document.getElementById("count");
const kinds = JSON.parse(found.dataset.kinds);

function rank(entry, words) {
  if (!words.every((word) => entry.text.includes(word))) return -1;
  const name = entry.name.toLowerCase();
  if (name === words.join(" ")) return 3;
  return name.startsWith(words[0]) ? 2 : words.every((word) => name.includes(word)) ? 1 : 0;
}

function cell(text, className) {
  const td = document.createElement("td");
  td.textContent = text;
  if (className) td.className = className;
  return td;
}

function row(entry) {
  const tr = document.createElement("tr");
  const link = document.createElement("a");
  link.href = entry.address;
  link.textContent = entry.name;
  const named = document.createElement("td");
  named.append(link);
  tr.append(cell(kinds[entry.kind], "quiet"), named, cell(entry.title));
  return tr;
}

function search() {
  const words = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const ranked = words.length ? entries.map((entry) => [rank(entry, words), entry]).filter(([n]) => n >= 0) : [];
  ranked.sort(([a], [b]) => b - a);
  found.replaceChildren(...ranked.slice(0, SHOWN).map(([, entry]) => row(entry)));
  count.textContent = !words.length ? "" : ranked.length ? count.dataset.found.replace("#", ranked.length) : count.dataset.none;
  history.replaceState(null, "", words.length ? `#${encodeURIComponent(input.value)}` : location.pathname);
}

input.hidden = false;
input.value = decodeURIComponent(location.hash.slice(1));
input.addEventListener("input", search);
search();
input.focus();
