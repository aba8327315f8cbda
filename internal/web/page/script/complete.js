// complete: a list of completions at the caret. The box keeps the focus; aria-activedescendant names the choice. The
// role of the box stays textbox, as ARIA has no combobox of several lines.

const completion = { items: [], from: 0, at: 0, chosen: 0, moved: false, abort: null, timer: 0 };

const box = byId("statement");
box.style.fieldSizing = "content"; // not in the stylesheet: validators of CSS do not know it
const list = byId("completions");
const utf8 = new TextEncoder();

// The server counts bytes, JavaScript UTF-16 code units.
const bytesTo = (text, at) => utf8.encode(text.slice(0, at)).length;
const unitsTo = (text, bytes) => new TextDecoder().decode(utf8.encode(text).slice(0, bytes)).length;

// completeSoon waits for a pause in typing.
function completeSoon() {
  clearTimeout(completion.timer);
  const typed = box.value.slice(0, box.selectionStart);
  if (/[\p{L}\p{N}_."]$/u.test(typed)) completion.timer = setTimeout(completeNow, 120);
  else closeList();
}

async function completeNow() {
  const text = box.value;
  const at = box.selectionStart;
  completion.abort?.abort();
  completion.abort = new AbortController();
  try {
    const answer = await ask("complete", { body: { text, at: bytesTo(text, at) }, signal: completion.abort.signal });
    if (!answer.ok) return closeList();
    const { from, items } = await answer.json();
    const same = box.value === text && box.selectionStart === at && document.activeElement === box;
    if (same) openList(items ?? [], unitsTo(text, from), at);
  } catch {
    closeList(); // a completion that fails is none
  }
}

function openList(items, from, at) {
  const typed = box.value.slice(from, at);
  const useful = items.filter((item) => item.trimEnd() !== typed).slice(0, 50);
  if (useful.length === 0) return closeList();
  Object.assign(completion, { items: useful, from, at, chosen: 0, moved: false });
  list.replaceChildren(...useful.map((item, i) => element("li", { id: `completion-${i}`, role: "option", textContent: visible(item.trimEnd()) })));
  list.hidden = false;
  placeList();
  choose(0);
}

function closeList() {
  clearTimeout(completion.timer);
  completion.items = [];
  list.hidden = true;
  box.removeAttribute("aria-activedescendant");
}

// placeList puts the list under the caret. A copy of the box with the same text before the caret says where that is.
function placeList() {
  const copy = element("div", { className: "copy", ariaHidden: "true" });
  const caret = element("span", { textContent: "\u200b" });
  copy.append(box.value.slice(0, completion.from), caret);
  box.after(copy);
  list.style.top = `${Math.min(caret.offsetTop - box.scrollTop + caret.offsetHeight, box.offsetHeight) + 4}px`;
  list.style.left = `${Math.max(0, Math.min(caret.offsetLeft - 15, box.offsetWidth - list.offsetWidth))}px`;
  copy.remove();
}

function choose(i) {
  const n = completion.items.length;
  completion.chosen = (i + n) % n;
  [...list.children].forEach((option, k) => option.setAttribute("aria-selected", String(k === completion.chosen)));
  box.setAttribute("aria-activedescendant", `completion-${completion.chosen}`);
  const option = list.children[completion.chosen];
  if (option.offsetTop < list.scrollTop) list.scrollTop = option.offsetTop;
  const below = option.offsetTop + option.offsetHeight - list.clientHeight;
  if (below > list.scrollTop) list.scrollTop = below;
}

function accept(i) {
  const { items, from, at } = completion;
  box.setRangeText(items[i], from, at, "end");
  closeList();
  box.focus();
}

// completionKey returns whether the open list took a key. Enter takes a completion only after an arrow, so that a line
// can end with a word that has completions.
function completionKey(event) {
  if (list.hidden) return false;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    completion.moved = true;
    choose(completion.chosen + (event.key === "ArrowDown" ? 1 : -1));
  } else if (event.key === "Tab" && !event.shiftKey || event.key === "Enter" && completion.moved) {
    accept(completion.chosen);
  } else if (event.key === "Escape") {
    closeList();
  } else {
    return false;
  }
  return true;
}

list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
list.addEventListener("click", (event) => {
  const option = event.target.closest("li");
  if (option) accept([...list.children].indexOf(option));
});
box.addEventListener("blur", closeList);
