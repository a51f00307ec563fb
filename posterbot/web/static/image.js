// What is similar comes later, as its index may have to be made; and the keys.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, select, textarea")) return;
  const button = document.querySelector(`.answers [data-key="${CSS.escape(event.key)}"]`);
  if (button && !event.repeat) {
    event.preventDefault();
    button.click();
  } else if (event.key === "Backspace") {
    event.preventDefault();
    history.back();
  }
});

const similar = document.getElementById("similar");
try {
  const answer = await fetch(similar.dataset.from);
  if (!answer.ok) throw new Error();
  similar.innerHTML = await answer.text(); // a template of ours, which escapes
} catch {
  similar.innerHTML = '<p class="quiet small">posterbot serve does not answer; load the page again.</p>';
}
