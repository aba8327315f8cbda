// status: the bar at the top, and what the pull does now.

const quietAfter = 3; // seconds without a line until the bar says so
const staleAfter = 10; // and until the charts do

let now = null; // the newest state
let received = 0; // when it came
let spoken = "";

const looks = {
  pulling: ["dot", "good"], waiting: ["pause", "warn"], idle: ["ring", "plain"], ended: ["stop", "plain"],
  open: ["dot", "good"], failing: ["bad", "bad"],
};
const marks = { good: "good", warn: "warn", bad: "bad", plain: "ring" };

// exits are the exit codes of a pull, as docs/operations.md has them.
const exits = {
  1: "an error", 2: "wrong usage", 3: "the API refused the key", 4: "the API failed; the next pull resumes",
  5: "the counts do not match", 6: "the file could not be used", 130: "interrupted; the next pull resumes", 143: "terminated; the next pull resumes",
};

// lamp shows a shape, a colour and a word: never a colour alone.
function lamp(node, shape, tone, word) {
  const href = `#i-${shape}`;
  const use = node.querySelector("use");
  if (use.getAttribute("href") !== href) use.setAttribute("href", href);
  node.className = `lamp ${tone}`;
  setText(node.querySelector("span"), visible(word));
  node.hidden = false;
}

function showState(newest) {
  const state = kept(newest);
  now = state;
  received = seconds();
  connection.over = state.state === "ended";
  showNotice("");
  const [shape, tone] = endLook(state) ?? looks[state.state] ?? looks.idle;
  lamp(byId("state"), shape, tone, stateWord(state));
  showBadge(state.badge, state.state === "ended" && state.exit === 0);
  showFacts(state);
  showProgress(state);
  showEndpoints(state.endpoints ?? []);
  showShards(state.shards ?? [], state.zone);
  announceState(state);
  byId("now").hidden = false;
  byId("sql").hidden = false;
  sections.forEach(showLate);
  tick();
}

// kept is a state in which the end of a pull keeps the figures of before, as its server may know them no more.
function kept(state) {
  if (state.state !== "ended" || !now) return state;
  const filled = { ...state };
  for (const name of ["batch", "events", "total", "percent", "endpoints", "shards"]) {
    if (state[name] == null || state[name].length === 0) filled[name] = now[name];
  }
  if (state.exit === 0 && complete(state) && filled.percent != null) filled.percent = 100;
  return filled;
}

// endLook is that of an end that failed.
function endLook(state) {
  if (state.state !== "ended") return null;
  if (state.exit) return ["bad", "bad"];
  return complete(state) ? ["good", "good"] : null;
}

const complete = (state) => state.badge?.tone === "good";

// stateWord names a state. A server that ends by itself has no exit code.
function stateWord(state) {
  if (state.state !== "ended") return capital(state.state);
  if (state.exit) return `Ended, exit ${state.exit}`;
  if (state.exit === 0) return complete(state) ? "Ended, complete" : "Ended, incomplete";
  return "Ended";
}

// shortBadge is the part of a badge's sentence that fits the bar.
const shortBadge = (text) => text.split(/[:;.,](?: |$)| as of /)[0];

// showBadge leaves out a badge that the state repeats.
function showBadge(badge, said) {
  if (!badge?.text || said) {
    byId("badge").hidden = true;
    return;
  }
  lamp(byId("badge"), marks[badge.tone] ?? "ring", badge.tone, shortBadge(badge.text));
  byId("badge").title = visible(badge.text);
}

function showFacts(state) {
  byId("file").title = visible(state.file ?? "");
  setText(byId("file"), fit(visible(state.file ?? ""), 32));
  setText(byId("batch"), state.batch == null ? "" : `batch ${state.batch}`);
  showClock(state.clock, state.zone);
}

// showClock writes the date apart: a phone has no room for it.
function showClock(iso, zone) {
  if (!iso || byId("clock").title === iso) return;
  byId("clock").title = iso;
  const [day, time] = stamp(iso, zone);
  byId("clock").replaceChildren(element("span", { className: "wide", textContent: `${day} ` }), time);
}

// showProgress writes into fixed places, so that nothing moves when a figure is not known yet. Without a share, the
// number of events takes its place.
function showProgress(state) {
  const known = state.percent != null;
  const events = state.events == null ? "–" : count(state.events);
  const of = state.total == null ? "" : ` of about ${count(state.total)}`;
  setText(byId("percent"), known ? `${Math.floor(state.percent)}\u00a0%` : events);
  strong(byId("events"), known ? events : "", known ? `${of} events` : `events${of}`);
  byId("progress").value = state.percent ?? 0;
  byId("progress").hidden = !known;
  showSpeed(state);
  setText(byId("message"), [endReason(state), visible(state.trouble ?? "")].filter(Boolean).join(" ") || badgeReason(state));
  document.title = `${titleWord(state)} · ${visible(state.file ?? "datasync")}`;
}

function showSpeed(state) {
  const over = state.state === "idle" || state.state === "ended"; // these figures do not come back
  byId("speed").hidden = over && state.rate == null;
  byId("left").hidden = over; // also if the last look had an estimate
  if (state.rate == null) strong(byId("speed"), "", "");
  else strong(byId("speed"), count(state.rate), " events a second");
  if (state.left_s == null) strong(byId("left"), "", "");
  else strong(byId("left"), span(state.left_s), leftWords(state), "about ");
}

function leftWords(state) {
  return ` left${state.done_at ? `, done near ${timeOfDay(state.done_at, state.zone)}` : ""}`;
}

function endReason(state) {
  const words = state.state === "ended" && state.exit && exits[state.exit];
  return words ? `The pull ended with exit code ${state.exit}: ${words}.` : "";
}

// badgeReason is a sentence that the bar has no room for.
function badgeReason(state) {
  const words = complete(state) || !state.badge?.text ? "" : `${visible(state.badge.text).replace(/[.]$/, "")}. `;
  return (state.state === "idle" ? `${words}No pull is running.` : words).trim();
}

function titleWord(state) {
  const running = state.state === "pulling" || state.state === "waiting";
  return running && state.percent != null ? `${Math.floor(state.percent)} %` : stateWord(state);
}

// strong writes a figure in bold between words.
function strong(node, figure, after, before = "") {
  const text = before + figure + after;
  if (node.textContent === text) return;
  node.replaceChildren(before, element("b", { textContent: figure }), after);
}

function showEndpoints(endpoints) {
  const list = byId("endpoints");
  while (list.children.length > endpoints.length) list.lastChild.remove();
  while (list.children.length < endpoints.length) list.append(newEndpoint());
  endpoints.forEach((endpoint, i) => {
    const [name, , events, reason] = list.children[i].children;
    setText(name, capital(visible(endpoint.name)));
    setText(reason, visible(endpoint.reason ?? ""));
    setText(events, plural(endpoint.events ?? 0, "event"));
  });
  countDown();
}

function newEndpoint() {
  const state = byId("state").cloneNode(true);
  state.removeAttribute("id");
  return element("li", {}, element("p", { className: "name" }), state, element("p", { className: "note n" }), element("p", { className: "note reason" }));
}

// countDown shows how long each endpoint waits. The clock of this page counts between two states.
function countDown() {
  (now.endpoints ?? []).forEach((endpoint, i) => {
    const [shape, tone] = looks[endpoint.state] ?? looks.idle;
    const left = Math.ceil((endpoint.left_s ?? 0) - (seconds() - received));
    const waits = endpoint.left_s != null && left > 0 && now.state !== "ended";
    lamp(byId("endpoints").children[i].children[1], shape, tone, capital(endpoint.state) + (waits ? ` ${span(left)}` : ""));
  });
}

// showShards says where each walk of the window is. The line is always there, so that a split moves nothing.
function showShards(shards, zone) {
  byId("shards").hidden = shards.length === 0;
  const done = shards.filter((shard) => shard.done).length;
  const words = shards.length === 1 ? "One walk, from new to old" : `${shards.length} shards side by side${done ? `, ${done} done` : ""}`;
  setText(byId("shards").querySelector("summary"), words);
  const rows = shards.map((shard) => {
    const at = shard.done ? "done" : shard.at ? `at ${stamp(shard.at, zone).join(" ")}` : "not begun";
    const share = shard.percent == null ? "" : `${shard.percent}\u00a0%, `;
    return `${shards.length === 1 ? "Walk" : `Shard ${shard.number}`}: ${share}${plural(shard.events, "event")}, ${at}`;
  });
  const list = byId("shards").querySelector("ul");
  while (list.children.length > rows.length) list.lastChild.remove();
  while (list.children.length < rows.length) list.append(element("li"));
  rows.forEach((row, i) => setText(list.children[i], row));
}

function announce(text) {
  setText(byId("announcement"), text);
}

// announceState speaks when the state changes, never of figures: a screen reader would not come to rest.
function announceState(state) {
  const text = [stateWord(state), state.badge?.text && shortBadge(state.badge.text)].filter(Boolean).join(", ");
  if (text !== spoken) announce(text);
  spoken = text;
}

// refuse says that the page has no valid token. Figures that are there stay.
function refuse() {
  showNotice(noToken);
  lamp(byId("state"), "bad", "bad", "No access");
  byId("sql").hidden = !now;
  tick();
}

// tick runs twice a second: ages and waits go on while nothing comes.
function tick() {
  dropDead();
  if (now) countDown();
  const ended = connection.over;
  showAgeOfState(ended);
  const stale = Boolean(now) && !ended && silence() >= staleAfter;
  const was = document.body.classList.contains("stale");
  document.body.classList.toggle("stale", stale);
  if (stale && !was) announce("No news from the pull: the figures are not the newest");
  if (!stale && was && !ended) announce(`Connected again. ${spoken}`);
}

// showAgeOfState has its first word apart: a phone has no room for it.
function showAgeOfState(ended) {
  const quiet = !ended && silence() >= quietAfter;
  const age = byId("age");
  const since = span(Math.floor(silence()));
  age.hidden = ended || !now && !quiet;
  age.className = quiet ? "warn" : "";
  setText(age.firstChild, quiet ? "" : "updated ");
  setText(age.lastChild, quiet ? `no news for ${since}` : `${since} ago`);
}
