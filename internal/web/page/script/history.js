// history: the statements of this tab, without their results.

const most = 50;
const past = { all: JSON.parse(stored.get("datasync-history") || "[]"), at: -1, draft: "" };

function remember(statement) {
  past.all = [statement, ...past.all.filter((other) => other !== statement)].slice(0, most);
  past.at = -1;
  stored.set("datasync-history", JSON.stringify(past.all));
  showHistory();
}

function showHistory() {
  const shown = byId("history");
  shown.hidden = past.all.length === 0;
  setText(shown.querySelector("summary"), `History: ${plural(past.all.length, "statement")}`);
  shown.querySelector("ul").replaceChildren(...past.all.map((statement) => {
    const button = element("button", { type: "button", textContent: statement });
    button.addEventListener("click", () => {
      box.value = statement;
      grow();
      box.focus();
    });
    return element("li", {}, button);
  }));
}

// historyKey returns whether an arrow stepped through the history: up at the beginning of the box, down at its end.
function historyKey(event) {
  const collapsed = box.selectionStart === box.selectionEnd;
  const older = event.key === "ArrowUp" && box.selectionStart === 0 && past.at + 1 < past.all.length;
  const newer = event.key === "ArrowDown" && box.selectionStart === box.value.length && past.at >= 0;
  if (!collapsed || !older && !newer) return false;
  if (past.at === -1) past.draft = box.value;
  past.at += older ? 1 : -1;
  box.value = past.at === -1 ? past.draft : past.all[past.at];
  grow();
  const caret = older ? 0 : box.value.length;
  box.setSelectionRange(caret, caret);
  return true;
}

showHistory();
