// Tells, while somebody types, what the export would hold and which command makes it.
const form = document.getElementById("export");
const count = document.getElementById("count");
const command = document.getElementById("command");
const copy = document.getElementById("copy");
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
