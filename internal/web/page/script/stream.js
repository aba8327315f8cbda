// stream: one request whose answer never ends, an object a line. EventSource cannot send the token.

const longestPause = 30; // seconds between two attempts
const deadAfter = 15; // seconds without a line on an open connection, as behind a tunnel that lost its end

const seconds = () => performance.now() / 1000;

const connection = { open: false, over: false, attempt: 0, heard: seconds(), abort: null, wake: null };

// silence is how many seconds ago the last line came.
const silence = () => seconds() - connection.heard;

// follow has each object of the stream received, and connects again when the stream breaks off. It ends when
// the token is refused, and after the end of a pull, whose server ends with it.
async function follow() {
  while (!connection.over) {
    try {
      await readStream();
    } catch (problem) {
      if (problem instanceof Refused) {
        connection.over = true;
        refuse();
      }
    }
    connection.open = false;
    if (!connection.over) await pause(Math.min(longestPause, 2 ** connection.attempt++));
  }
  showGone(now?.state === "ended");
}

// pause ends early when wake is called.
const pause = (s) => new Promise((resolve) => {
  connection.wake = resolve;
  setTimeout(resolve, s * 1000);
});

// reconnect ends a connection, and a pause between two.
function reconnect() {
  connection.over = false;
  connection.attempt = 0;
  connection.abort?.abort();
  connection.wake?.();
}

async function readStream() {
  connection.abort = new AbortController();
  const answer = await ask("stream", { signal: connection.abort.signal });
  if (!answer.ok) throw new Error(`the stream answered ${answer.status}`);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  connection.open = true;
  connection.heard = seconds();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      connection.heard = seconds();
      connection.attempt = 0;
      if (line !== "") receive(JSON.parse(line));
    }
  }
}

// dropDead ends a connection on which nothing comes, so that follow makes another.
function dropDead() {
  if (connection.open && silence() > deadAfter) connection.abort.abort();
}
