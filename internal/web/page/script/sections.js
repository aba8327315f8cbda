// sections: the server's charts and tables. Only what differs is changed in the document, so that open tables stay
// open, and a scrolled box, the focus and a selection stay where they are.

const lateAfter = 90; // seconds after which the age of a section is a warning
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

function showSection(message) {
  const known = sections.get(message.id);
  if (message.html === "") {
    known?.node.remove();
    sections.delete(message.id);
    return;
  }
  const section = known ?? {};
  if (section.html !== message.html) {
    const next = parse(message.html);
    if (section.node) morph(section.node, next);
    else byId("sections").append(section.node = document.adoptNode(next));
    section.html = message.html;
  }
  Object.assign(section, { chip: message.chip, age: message.age_s, at: seconds() });
  sections.set(message.id, section);
  showAge(section);
}

const showAges = () => sections.forEach(showAge);

// showAge counts on how old a section is that is not live.
function showAge(section) {
  const chip = section.node.querySelector(".chip");
  if (!chip || !section.chip) return;
  const age = section.age == null ? null : section.age + seconds() - section.at;
  const counts = age != null && now?.state !== "ended";
  setText(chip, counts ? `${section.chip} · ${span(Math.floor(age))} ago` : section.chip);
  chip.classList.toggle("late", counts && age > lateAfter);
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
