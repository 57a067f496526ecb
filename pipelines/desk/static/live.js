// Keeps the stage bar of a filing true while its page is seen, and says when the rest of the page is older. Without it one reloads.
let source;
const start = () => {
  source?.close();
  const bar = document.querySelector("[data-live]");
  const moved = document.querySelector("[data-moved]");
  if (!bar || !moved || document.hidden || !window.EventSource) return;
  source = new EventSource(bar.dataset.live);
  source.addEventListener("stage", (event) => {
    bar.innerHTML = event.data;
    bar.dataset.live = bar.dataset.live.replace(/seen=\d+/, `seen=${event.lastEventId}`);
    moved.hidden = false;
  });
};
document.addEventListener("visibilitychange", start);
document.addEventListener("desk:page", start);
window.addEventListener("pagehide", () => source?.close());
start();
