// start: one stream a page. A URL with a new token in the same tab changes the fragment only, and loads nothing.

function receive(message) {
  try {
    if (message.kind === "state") showState(message);
    else if (message.kind === "section") takeSection(message);
    else if (message.kind === "chip") showChip(message);
  } catch (problem) {
    reportError(problem); // one bad message does not end the stream
  }
}

let following = null;

function begin() {
  if (!takeToken()) {
    connection.over = true;
    refuse();
    return;
  }
  showNotice("");
  showGone(false);
  reconnect();
  following ??= follow().finally(() => { following = null; });
}

setInterval(tick, 500);
document.addEventListener("visibilitychange", () => {
  showUnseen();
  tick();
});
window.addEventListener("hashchange", () => {
  if (location.hash.length > minToken) begin();
});
begin();
