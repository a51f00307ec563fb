// Keeps the numbers of the start page fresh, and tells what another policy would keep before it is made.
const EVERY = 2000;
const live = document.getElementById("live");
const lost = document.getElementById("lost");
const csrf = document.querySelector("meta[name=csrf]").content;

async function told(response) {
  try {
    return await response.json();
  } catch {
    return { error: `The server answers ${response.status}.` };
  }
}

// --- Numbers --------------------------------------------------------------------------------------------------------

async function refresh() {
  const response = await fetch(live.dataset.url, { headers: { Accept: "text/html" } });
  if (!response.ok) throw new Error(`The server answers ${response.status}; load the page again.`);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of fresh.querySelectorAll("[data-live]")) {
    const shown = document.querySelector(`[data-live="${part.dataset.live}"]`);
    // What somebody is in, with the keyboard or a selection, is left alone.
    if (!shown || shown.innerHTML === part.innerHTML || shown.contains(document.activeElement)) continue;
    const selected = getSelection();
    if (!selected.isCollapsed && shown.contains(selected.anchorNode)) continue;
    const scrolled = shown.querySelector(".wide")?.scrollLeft;
    shown.replaceWith(document.adoptNode(part));
    if (scrolled) part.querySelector(".wide").scrollLeft = scrolled;
  }
}

async function keepFresh() {
  for (;;) {
    await new Promise((done) => setTimeout(done, EVERY));
    if (document.hidden) continue;
    try {
      await refresh();
      lost.textContent = "";
    } catch (error) {
      lost.textContent = error instanceof TypeError ? "The server does not answer; trying again." : error.message;
    }
  }
}
if (live) keepFresh();

// --- The policy -----------------------------------------------------------------------------------------------------

const form = document.getElementById("policy");
if (form) {
  const threshold = form.elements.threshold;
  const slider = document.getElementById("slider");
  const preview = document.getElementById("preview");
  const asked = () => {
    const fields = new URLSearchParams(new FormData(form));
    fields.delete("csrf");
    fields.delete("past");
    return fields.toString();
  };
  let before = asked();
  let number = 0;
  let timer = 0;

  const tell = async () => {
    const mine = (number += 1);
    if (asked() === before) {
      preview.textContent = "";
      preview.classList.remove("wrong");
      threshold.removeAttribute("aria-invalid");
      return;
    }
    try {
      const response = await fetch(`${form.dataset.preview}&${asked()}`, { headers: { Accept: "application/json" } });
      const answer = await told(response);
      if (mine !== number) return; // somebody has gone on typing
      preview.textContent = answer.error ?? answer.text;
      preview.classList.toggle("wrong", "error" in answer);
      if (answer.error?.startsWith("Threshold")) threshold.setAttribute("aria-invalid", "true");
      else threshold.removeAttribute("aria-invalid");
    } catch {
      if (mine === number) preview.textContent = "The server does not answer.";
    }
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(tell, 120);
  };
  slider.addEventListener("input", () => { threshold.value = slider.value; });
  threshold.addEventListener("input", () => {
    const value = Number(threshold.value);
    if (value > 0 && value < 1) slider.value = value;
  });
  form.addEventListener("input", soon);
  form.addEventListener("done", () => { // what stands there is in force now
    before = asked();
    tell();
  });
}

// --- Sending --------------------------------------------------------------------------------------------------------

for (const sent of document.querySelectorAll("form[data-says]")) {
  sent.addEventListener("submit", async (event) => {
    event.preventDefault();
    const place = document.getElementById(sent.dataset.says);
    const buttons = sent.querySelectorAll("button");
    const fields = new URLSearchParams(new FormData(sent, event.submitter));
    const note = document.createElement("span");
    note.className = "note";
    buttons.forEach((button) => { button.disabled = true; });
    note.textContent = "One moment …";
    place.replaceChildren(note);
    try {
      const response = await fetch(sent.action, {
        method: "POST",
        headers: { Accept: "application/json", "X-CSRF": csrf },
        body: fields,
      });
      const answer = await told(response);
      note.textContent = answer.error ?? answer.said;
      note.classList.toggle("bad", "error" in answer);
      if (!("error" in answer)) sent.dispatchEvent(new Event("done"));
      refresh().catch(() => {}); // keepFresh() tells
    } catch {
      note.textContent = "The server does not answer; posterbot policies shows what is in force.";
      note.classList.add("bad");
    } finally {
      buttons.forEach((button) => { button.disabled = false; });
    }
  });
}
