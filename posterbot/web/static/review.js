// One image after the other. An answer is on the page until the server has it; what the model thinks is told after it.
const $ = (id) => document.getElementById(id);
const csrf = document.querySelector("meta[name=csrf]").content;
const picture = $("picture");
const nothing = $("nothing");
const trouble = $("trouble");
const NUMBER = new Intl.NumberFormat("en");

const seed = Math.floor(Math.random() * 1e9);
const waiting = []; // images that come next
const before = []; // those that were answered
const gone = new Set(); // sha256 of what is not to come again
let image = null;
let seen = false; // nothing can be said of a picture before it is there
let sending = false;
let unsent = null; // an answer that did not arrive
let asking = null;
let answered = 0;
let end = false;

const source = (one) => `/pictures/${one.sha256}.jpg`;

async function more() {
  if (asking || end) return asking;
  asking = (async () => {
    const exclude = [...waiting, ...(image ? [image] : []), ...before.slice(-20)].map((one) => one.sha256);
    const skipped = [...gone].slice(-(50 - exclude.length));
    const answer = await fetch(`/review/next?seed=${seed}&exclude=${[...new Set([...exclude, ...skipped])].slice(0, 50).join(",")}`, {
      headers: { accept: "application/json" },
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error);
    end = told.images.length === 0;
    for (const one of told.images) {
      const loader = new Image();
      loader.src = source(one);
      one.loader = loader;
      waiting.push(one);
    }
  })();
  try {
    await asking;
  } finally {
    asking = null;
  }
}

function say(text, again = false) {
  trouble.hidden = !text;
  trouble.firstElementChild.textContent = text;
  $("again").hidden = !again;
}

function enable() {
  for (const button of $("review").querySelectorAll("button[data-answer], #own button")) {
    const { answer } = button.dataset;
    const ready = answer === "undo" ? before.length > 0 : image !== null && (seen || answer === "skip");
    button.disabled = !ready || unsent !== null;
  }
}

function show(one) {
  image = one;
  seen = false;
  picture.classList.remove("there");
  picture.hidden = one === null;
  nothing.hidden = one !== null;
  if (one === null) {
    picture.removeAttribute("src");
    nothing.textContent = "Nothing is left to review.";
    $("question").textContent = "All done";
    $("why").textContent = "More comes with the next images that are crawled.";
    $("where").textContent = "";
  } else {
    picture.alt = one.alt || "The image in question";
    picture.src = source(one);
    $("question").textContent = one.question;
    $("why").textContent = one.why;
    $("where").textContent = [one.page && `On: ${one.page}`, one.alt && `“${one.alt}”`].filter(Boolean).join(" · ");
  }
  enable();
}

async function next() {
  try {
    if (waiting.length === 0) {
      end = false;
      await more();
    }
    show(waiting.shift() ?? null);
    if (waiting.length < 4) more().catch(() => {});
  } catch (error) {
    image = null;
    enable();
    nothing.hidden = false;
    picture.hidden = true;
    nothing.textContent = "No image.";
    say(error instanceof TypeError ? "No connection to posterbot serve; trying again." : error.message);
    setTimeout(() => { say(""); next(); }, 3000);
  }
}

picture.addEventListener("load", () => {
  seen = image !== null && picture.src.endsWith(source(image));
  picture.classList.toggle("there", seen);
  enable();
});
picture.addEventListener("error", () => {
  if (!picture.getAttribute("src")) return;
  nothing.hidden = false;
  picture.hidden = true;
  nothing.textContent = "The picture cannot be shown: it is not in the store, or was forgotten. Skip it.";
});

async function send(one, answer, label) {
  if (sending) return;
  sending = true;
  say("");
  const body = new URLSearchParams({ sha256: one.sha256, answer, picked: one.picked });
  if (one.stratum) body.set("stratum", one.stratum);
  if (label) body.set("label", label);
  try {
    const response = await fetch("/review/answers", {
      method: "POST", body, headers: { accept: "application/json", "x-csrf": csrf },
    });
    const told = await response.json();
    unsent = null;
    if (response.status === 404) {
      gone.add(one.sha256);
      await next();
      say(told.error);
      return;
    }
    if (!response.ok) {
      say(told.error);
      return;
    }
    gone.add(one.sha256);
    before.push(one);
    answered += 1;
    $("now").textContent = NUMBER.format(answered);
    $("answers").textContent = NUMBER.format(told.answers);
    $("audits").textContent = NUMBER.format(told.audits);
    const said = answer === "skip" ? "You skipped it." : `You said ${answer === "label" ? label : answer}.`;
    const score = told.score === null ? "" : `, ${told.label ?? ""} ${told.score.toFixed(2)}`;
    $("last").textContent = `${said} ` +
      (told.kept === null ? "No policy has judged it." : `The filter ${told.kept ? "keeps" : "drops"} it${score}.`);
    $("word").value = "";
    await next();
  } catch {
    unsent = { one, answer, label };
    say(`No connection: your answer “${answer === "label" ? label : answer}” has not been recorded.`, true);
  } finally {
    sending = false;
    enable();
  }
}

function act(answer, label) {
  if (sending || unsent) return;
  if (answer === "undo") {
    const last = before.pop();
    if (!last) return;
    if (image) waiting.unshift(image);
    say("");
    $("last").textContent = "Answer again: the new answer takes the place of the old one.";
    show(last);
  } else if (image && (seen || answer === "skip")) send(image, answer, label);
}

function again() {
  if (unsent) send(unsent.one, unsent.answer, unsent.label);
}

$("review").addEventListener("click", (event) => {
  const button = event.target.closest("button[data-answer]");
  if (button) act(button.dataset.answer, button.dataset.label);
});
$("again").addEventListener("click", again);
$("own").addEventListener("submit", (event) => {
  event.preventDefault();
  const word = $("word").value.trim();
  if (word) {
    act("label", word);
    $("word").blur();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "Enter" && unsent) {
    event.preventDefault();
    again();
    return;
  }
  const answer = { y: "yes", n: "no", s: "skip", u: "undo" }[event.key];
  if (answer) act(answer);
  else if (event.key === "o") {
    event.preventDefault();
    $("word").focus();
  } else if (/^[1-9]$/.test(event.key)) {
    const button = document.querySelectorAll("#labels button")[Number(event.key) - 1];
    if (button) act("label", button.dataset.label);
  }
});

enable();
next();
