// Tells, while somebody types, what the export would hold and which command makes it; and has it made.
const form = document.getElementById("export");
const count = document.getElementById("count");
const command = document.getElementById("command");
const copy = document.getElementById("copy");
const start = document.getElementById("start");
const state = document.getElementById("state");
let timer = 0;
let number = 0;

async function tell() {
  const mine = (number += 1);
  const asked = new URLSearchParams(new FormData(form));
  let answer;
  try {
    const response = await fetch(`${form.dataset.preview}?${asked}`, { headers: { Accept: "application/json" } });
    answer = await response.json();
  } catch {
    answer = { error: "The server does not answer." };
  }
  if (mine !== number) return; // somebody has gone on typing
  count.textContent = answer.error ?? answer.text;
  count.classList.toggle("wrong", "error" in answer);
  command.textContent = answer.command ?? "";
  copy.disabled = !answer.command;
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(tell, 150);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  tell();
});
start.addEventListener("click", make);

async function make() {
  start.disabled = true;
  try {
    const response = await fetch(start.dataset.url, {
      method: "POST",
      headers: { Accept: "application/json", "X-CSRF": document.querySelector("meta[name=csrf]").content },
      body: new URLSearchParams(new FormData(form)),
    });
    show(await response.json());
  } catch {
    show({ error: "The server does not answer." });
  }
}

function show(answer) {
  state.textContent = answer.error ?? answer.text;
  state.classList.toggle("wrong", "error" in answer || answer.state === "failed");
  start.disabled = answer.state === "running";
  if (answer.state === "running") setTimeout(ask, 1000);
}

async function ask() {
  try {
    const response = await fetch(form.dataset.state, { headers: { Accept: "application/json" } });
    show(await response.json());
  } catch {
    setTimeout(ask, 3000); // it may come back
  }
}
if (state.textContent.trim()) ask();
else start.disabled = false;
copy.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(command.textContent);
    copy.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(command);
    copy.textContent = "Press Ctrl+C";
  }
  setTimeout(() => { copy.textContent = "Copy"; }, 1500);
});
