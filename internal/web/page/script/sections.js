// sections: the server's charts and tables. Only what differs is changed in the document, so that open tables stay
// open, and a scrolled box, the focus and a selection stay where they are.

const lateAfter = 90; // seconds
const sections = new Map();

// parse is the one place where text becomes markup. What is not a section of the server's throws.
const parse = (() => {
  const check = (html) => {
    if (!html.startsWith('<section class="part" id="')) throw new TypeError("not a section");
    return html;
  };
  const policy = window.trustedTypes?.createPolicy("datasync-section", { createHTML: check }) ?? { createHTML: check };
  return (html) => {
    const template = document.createElement("template");
    template.innerHTML = policy.createHTML(html);
    return template.content.firstElementChild;
  };
})();

const unseen = new Map(); // sections that came while the page was hidden

// takeSection draws a section at once, or when the page is looked at again: a hidden page shall not slow the pull.
function takeSection(message) {
  if (document.hidden) unseen.set(message.id, message);
  else showSection(message);
}

function showUnseen() {
  if (document.hidden) return;
  const messages = [...unseen.values()];
  unseen.clear();
  messages.forEach(showSection);
}

// showSection puts a section in its place, or brings one that is there up to date.
function showSection(message) {
  const section = sections.get(message.id) ?? {};
  if (section.html !== message.html) {
    const next = parse(message.html);
    next.querySelector(".rail").append(section.chip?.cloneNode(true) ?? element("p", { className: "chip" }));
    if (section.node) morph(section.node, next);
    else section.node = place(next, message.order ?? Infinity);
  }
  Object.assign(section, message, { chip: section.node.querySelector(".chip") });
  sections.set(message.id, section);
  showChip(message);
}

function place(node, order) {
  const after = [...sections.values()].filter((other) => other.order > order).sort((a, b) => a.order - b.order)[0];
  byId("sections").insertBefore(node, after?.node ?? null);
  return node;
}

// showChip says as of when a section is.
function showChip({ id, chip, batch, at, live, stale }) {
  const section = sections.get(id);
  if (unseen.has(id)) Object.assign(unseen.get(id), { chip, stale }, batch == null ? {} : { batch, at, live });
  if (!section || unseen.has(id)) return;
  section.stale = stale;
  if (batch != null) Object.assign(section, { batch, at, live }); // a reading that changes nothing is newer, too
  setText(section.chip, chip ?? "");
  showLate(section);
}

// showLate warns of figures that are of an older batch, and have been for long, or that the server cannot draw again.
function showLate(section) {
  const older = section.live === false && section.batch < now?.batch;
  const age = older && section.at && now.clock ? (Date.parse(now.clock) - Date.parse(section.at)) / 1000 : 0;
  section.chip.classList.toggle("late", age > lateAfter || section.stale === true);
}

// morph makes one tree like another and keeps the nodes that they share.
function morph(old, next) {
  if (old.isEqualNode(next)) return;
  if (old.nodeName !== next.nodeName) {
    old.replaceWith(next);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.data = next.data;
    return;
  }
  morphAttributes(old, next);
  const wanted = [...next.childNodes];
  while (old.childNodes.length > wanted.length) old.lastChild.remove();
  [...old.childNodes].forEach((child, i) => morph(child, wanted[i]));
  old.append(...wanted.slice(old.childNodes.length));
}

function morphAttributes(old, next) {
  for (const { name } of [...old.attributes]) {
    const opened = name === "open"; // the reader did that
    if (!next.hasAttribute(name) && !opened) old.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}
