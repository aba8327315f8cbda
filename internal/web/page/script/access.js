// access: the token comes in the URL's fragment, which no browser sends. It leaves the address bar at once, so that
// it is in no history and no screenshot, and stays in sessionStorage, which belongs to this tab and this port.

const noToken = "This page’s address has no valid token: open the URL that datasync printed.";

const minToken = 32;

let token = "";

// stored reads and writes sessionStorage, which some settings of browsers forbid.
const stored = {
  get(name) {
    try { return sessionStorage.getItem(name) ?? ""; } catch { return ""; }
  },
  set(name, value) {
    try { sessionStorage.setItem(name, value); } catch { /* a reload then needs the URL again */ }
  },
};

// takeToken returns whether there is a token. A fragment such as #days, of a link within the page, is none.
function takeToken() {
  const given = location.hash.slice(1);
  if (given.length >= minToken && /^[A-Za-z0-9_-]+$/.test(given)) {
    token = given;
    stored.set("datasync-token", token);
    history.replaceState(null, "", location.pathname + location.search);
  } else if (!token) {
    token = stored.get("datasync-token");
  }
  return token !== "";
}

class Refused extends Error {}

// ask sends a request with the token; body makes it a POST. It throws Refused where the token is not valid.
async function ask(path, { body, signal } = {}) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, {
    method: body ? "POST" : "GET", headers, signal, cache: "no-store", body: body && JSON.stringify(body),
  });
  if (answer.status === 401) throw new Refused(noToken);
  return answer;
}

function showNotice(text) {
  const notice = byId("notice");
  setText(notice, text);
  notice.hidden = text === "";
}
