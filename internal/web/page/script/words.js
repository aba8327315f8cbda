// words: how figures and times are written, as internal/chart writes them.

const byId = (id) => document.getElementById(id);

// setText leaves a node alone that has the text, so that a selection in it survives and no screen reader speaks.
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const count = (n) => Math.round(n).toLocaleString("en-US");

const plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

// span writes seconds with their two largest units: "2 min 12 s". Spaces in it do not break.
function span(seconds) {
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  let left = Math.max(0, Math.round(seconds));
  const words = [];
  for (const [name, size] of units) {
    const n = Math.floor(left / size);
    left -= n * size;
    if (n > 0 || words.length === 1) words.push(`${n}\u00a0${name}`);
    if (words.length === 2) break;
  }
  return words.filter((word, i) => i === 0 || !word.startsWith("0")).join(" ") || "0\u00a0s";
}

// parts are those of an instant in the time zone of the charts. A zone that the browser does not know is UTC.
function parts(iso, zone) {
  let timeZone = zone || "UTC";
  const options = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short" };
  try {
    Intl.DateTimeFormat("en-GB", { timeZone });
  } catch {
    timeZone = "UTC";
  }
  const format = new Intl.DateTimeFormat("en-GB", { ...options, timeZone });
  return Object.fromEntries(format.formatToParts(new Date(iso)).map((part) => [part.type, part.value]));
}

function timeOfDay(iso, zone) {
  const p = parts(iso, zone);
  return `${p.hour}:${p.minute}:${p.second}`;
}

// stamp is an instant as "Tue 27 Jan" and "19:24:58 UTC".
function stamp(iso, zone) {
  const p = parts(iso, zone);
  return [`${p.weekday} ${p.day} ${p.month}`, `${timeOfDay(iso, zone)} ${p.timeZoneName}`];
}

// visible is text with what acts on other characters as an escape, so that no name hides its end. Line ends stay.
function visible(text) {
  return text.replace(/[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/gu, (letter) => {
    const code = letter.codePointAt(0);
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

// fit cuts a long name in its middle, and keeps its end. The whole name is the node's title.
function fit(text, most) {
  const letters = [...text];
  if (letters.length <= most) return text;
  const end = Math.ceil((most - 1) / 2);
  return `${letters.slice(0, most - 1 - end).join("")}…${letters.slice(-end).join("")}`;
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
