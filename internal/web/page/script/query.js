// query: the SQL box. One statement runs at a time, and it ends on the server when its request is cancelled.

const step = 500; // rows that are laid out at once
const running = { abort: null, timer: 0, gone: false };

async function run() {
  const sql = box.value.trim();
  if (sql === "" || running.abort || running.gone) return;
  closeList();
  remember(sql);
  await alone("running", async (signal) => {
    const answer = await ask("query", { body: { sql }, signal });
    const result = await decoded(answer);
    if (result.error) showError(result.error);
    else showRows(result);
    return result.error ? "" : outcome(result);
  });
}

// alone does one piece of work, with the buttons set and the time shown, and says how it ended.
async function alone(word, work) {
  running.abort = new AbortController();
  const began = seconds();
  const passed = () => setText(byId("outcome"), `${word}, ${span(Math.floor(seconds() - began))}`);
  running.timer = setInterval(passed, 1000);
  setText(byId("outcome"), word);
  setButtons(true);
  let end = "";
  try {
    end = await work(running.abort.signal);
  } catch (problem) {
    if (problem.name === "AbortError") end = "cancelled";
    else showError({ text: problem instanceof Refused ? problem.message : `No answer: ${problem.message}. Is datasync still running?` });
  }
  clearInterval(running.timer);
  running.abort = null;
  setButtons(running.gone);
  setText(byId("outcome"), end);
}

// setButtons keeps the focus in the row: a button that is disabled would lose it.
function setButtons(busy) {
  for (const id of ["run", "csv", "parquet"]) byId(id).ariaDisabled = String(busy);
  if (!running.abort && document.activeElement === byId("cancel")) byId("run").focus();
  byId("cancel").disabled = !running.abort;
}

// showGone says that nobody is there to ask any more.
function showGone(gone) {
  if (gone !== running.gone) setText(byId("outcome"), gone ? "This server has ended. To ask more: datasync serve" : "");
  running.gone = gone;
  setButtons(Boolean(running.abort) || gone);
}

const cancel = () => running.abort?.abort();

// decoded reads an answer, or the error in it, which may be plain text.
async function decoded(answer) {
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch {
    return { error: { text: text.trim() || `the server answered ${answer.status}` } };
  }
}

function outcome(result) {
  const rows = result.rows.length;
  const shown = result.more ? `the first ${plural(rows, "row")}` : plural(rows, "row");
  const took = result.took_s == null ? "" : ` · ${result.took_s.toFixed(2)}\u00a0s`;
  return `${shown}${took}${result.batch == null ? "" : ` · as of batch ${result.batch}`}`;
}

function showRows(result) {
  const head = element("tr", {}, ...result.columns.map((column) => element("th", {
    scope: "col", className: column.number ? "n" : "", title: column.type ?? "", textContent: visible(column.name),
  })));
  const body = element("tbody");
  const frame = element("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "Result" },
    element("table", {}, element("thead", {}, head), body));
  let next = 0;
  const more = () => {
    body.append(...result.rows.slice(next, next += step).map((row) => newRow(row, result.columns)));
  };
  more();
  // 10,000 rows take seconds to lay out: the rest comes as the reader comes near it.
  frame.addEventListener("scroll", () => {
    if (next < result.rows.length && frame.scrollTop + 2 * frame.clientHeight > frame.scrollHeight) more();
  });
  byId("result").replaceChildren(frame);
}

function newRow(row, columns) {
  return element("tr", {}, ...row.map((cell, i) => {
    const classes = [columns[i].number && "n", cell === null && "null"].filter(Boolean).join(" ");
    return element("td", { className: classes, textContent: cell === null ? "NULL" : visible(cell) });
  }));
}

// showError takes the place of the table: the message wraps, the line with the caret scrolls.
function showError(error) {
  const shown = element("div", { className: "error", role: "alert" }, element("p", { textContent: visible(error.text) }));
  if (error.excerpt) shown.append(element("pre", { tabIndex: 0, textContent: visible(error.excerpt) }));
  byId("result").replaceChildren(shown);
}

// download asks for a path that works once, as a browser sends no token with a download.
async function download(format) {
  const sql = box.value.trim();
  if (sql === "" || running.abort || running.gone) return;
  await alone("preparing", async (signal) => {
    const result = await decoded(await ask("download", { body: { sql, format }, signal }));
    if (!/^\/download\/[A-Za-z0-9_-]+$/.test(result.path ?? "")) {
      showError(result.error ?? { text: "the server gave no path" });
      return "";
    }
    element("a", { href: result.path, download: "" }).click();
    return `${format === "csv" ? "CSV" : "Parquet"}: the browser saves it`;
  });
}

function boxKey(event) {
  if (event.isComposing) return;
  const control = event.ctrlKey || event.metaKey;
  let taken = true;
  if (control && event.key === "Enter") run();
  else if (control && event.code === "Space") completeNow();
  else if (completionKey(event) || historyKey(event)) taken = true;
  else if (event.key === "Escape" && running.abort) cancel();
  else taken = false;
  if (taken) event.preventDefault();
}

// grow is for browsers whose boxes do not grow by field-sizing.
function grow() {
  if (!CSS.supports("field-sizing", "content")) box.rows = Math.min(20, Math.max(3, box.value.split("\n").length));
}

box.addEventListener("keydown", boxKey);
box.addEventListener("input", () => {
  grow();
  completeSoon();
});
byId("run").addEventListener("click", run);
byId("cancel").addEventListener("click", cancel);
byId("csv").addEventListener("click", () => download("csv"));
byId("parquet").addEventListener("click", () => download("parquet"));
