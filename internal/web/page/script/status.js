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
  setText(node.querySelector("span"), word);
  node.hidden = false;
}

function showState(state) {
  now = state;
  received = seconds();
  connection.over = state.state === "ended";
  showNotice("");
  const [shape, tone] = endLook(state) ?? looks[state.state] ?? looks.idle;
  lamp(byId("state"), shape, tone, stateWord(state));
  showBadge(state.badge);
  showFacts(state);
  showProgress(state);
  showEndpoints(state.endpoints ?? []);
  showShards(state.shards ?? []);
  announceState(state);
  byId("now").hidden = false;
  tick();
}

// endLook is that of an end that failed.
function endLook(state) {
  if (state.state !== "ended") return null;
  if (state.exit) return ["bad", "bad"];
  return complete(state) ? ["good", "good"] : null;
}

const complete = (state) => state.badge?.tone === "good";

function stateWord(state) {
  if (state.state !== "ended") return capital(state.state);
  if (state.exit) return `Ended, exit ${state.exit}`;
  if (state.exit === 0) return complete(state) ? "Ended, complete" : "Ended, incomplete";
  return "Ended";
}

// shortBadge is the part of a badge's sentence that fits the bar.
const shortBadge = (text) => text.split(/[:;.,]| as of /)[0];

function showBadge(badge) {
  byId("badge").hidden = !badge;
  if (!badge) return;
  lamp(byId("badge"), marks[badge.tone] ?? "ring", badge.tone, shortBadge(badge.text));
  byId("badge").title = badge.text;
}

function showFacts(state) {
  byId("file").title = state.file ?? "";
  setText(byId("file"), fit(state.file ?? "", 32));
  setText(byId("batch"), state.batch == null ? "" : `batch ${state.batch}`);
  setText(byId("clock"), state.clock ? stamp(state.clock, state.zone) : "");
}

// showProgress writes into fixed places, so that nothing moves when a figure is not known yet.
function showProgress(state) {
  const known = state.percent != null;
  setText(byId("percent"), known ? `${Math.floor(state.percent)}\u00a0%` : count(state.events ?? 0));
  const of = state.total == null ? "" : ` of about ${count(state.total)}`;
  strong(byId("events"), known ? count(state.events ?? 0) : "", known ? `${of} events` : `events${of}`);
  strong(byId("rate"), state.rate == null ? "" : count(state.rate), state.rate == null ? "" : " events a second");
  strong(byId("left"), state.left_s == null ? "" : span(state.left_s), leftWords(state), state.left_s == null ? "" : "about ");
  byId("progress").value = state.percent ?? 0;
  byId("progress").hidden = !known;
  const over = state.state === "idle" || state.state === "ended"; // a state in which these figures do not come back
  byId("rate").hidden = over && state.rate == null;
  byId("left").hidden = over && state.left_s == null;
  setText(byId("message"), state.message || endReason(state) || badgeReason(state));
  document.title = `${titleWord(state)} · ${state.file ?? "datasync"}`;
}

function leftWords(state) {
  if (state.left_s == null) return "";
  return ` left${state.done_at ? `, done near ${timeOfDay(state.done_at, state.zone)}` : ""}`;
}

function endReason(state) {
  const words = state.state === "ended" && state.exit && exits[state.exit];
  return words ? `The pull ended with exit code ${state.exit}: ${words}.` : "";
}

// badgeReason is a sentence that the bar has no room for.
function badgeReason(state) {
  const words = complete(state) ? "" : `${(state.badge?.text ?? "").replace(/[.]$/, "")}. `;
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
    const [name, , reason, events] = list.children[i].children;
    setText(name, capital(endpoint.name));
    setText(reason, endpoint.reason ?? "");
    setText(events, plural(endpoint.events ?? 0, "event"));
  });
  countDown();
}

function newEndpoint() {
  const state = byId("state").cloneNode(true);
  state.removeAttribute("id");
  return element("li", {}, element("p", { className: "name" }), state, element("p", { className: "note" }), element("p", { className: "note n" }));
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

function showShards(shards) {
  const line = byId("shards");
  line.hidden = shards.length < 2;
  const words = shards.map((shard) => (shard.percent == null ? shard.name : `${shard.name} ${Math.floor(shard.percent)}\u00a0%`));
  setText(line, `${shards.length} shards side by side: ${words.join(", ")}`);
}

function announce(text) {
  setText(byId("announcement"), text);
}

// announceState speaks when the state changes, never of figures: a screen reader would not come to rest.
function announceState(state) {
  const text = [stateWord(state), state.badge && shortBadge(state.badge.text)].filter(Boolean).join(", ");
  if (text !== spoken) announce(text);
  spoken = text;
}

// refuse says that the page has no valid token. Figures that are there stay.
function refuse() {
  showNotice(noToken);
  lamp(byId("state"), "bad", "bad", "No access");
  tick();
}

// tick runs twice a second: ages and waits go on while nothing comes.
function tick() {
  dropDead();
  if (now) {
    countDown();
    showAges();
  }
  const ended = connection.over;
  showAgeOfState(ended);
  const stale = Boolean(now) && !ended && silence() >= staleAfter;
  const was = document.body.classList.contains("stale");
  document.body.classList.toggle("stale", stale);
  if (stale && !was) announce("No news from the pull: the figures are not the newest");
  if (!stale && was && !ended) announce(`Connected again. ${spoken}`);
}

function showAgeOfState(ended) {
  const quiet = !ended && silence() >= quietAfter;
  byId("age").className = quiet ? "warn" : "";
  const since = span(Math.floor(silence()));
  setText(byId("age"), ended || !now && !quiet ? "" : quiet ? `no news for ${since}` : `updated ${since} ago`);
}
