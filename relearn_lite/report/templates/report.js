// The answers: the first 20, more on demand, or only those of one kind. Without scripts all are shown.
const STEP = 20;
const buttons = document.querySelectorAll("[data-filter]");
const cards = [...document.querySelectorAll("[data-tags]")];
const more = document.querySelector("#more");
let wanted = "all";
let most = STEP;

function show() {
  const found = cards.filter((card) => wanted === "all" || card.dataset.tags.split(" ").includes(wanted));
  cards.forEach((card) => { card.hidden = true; });
  found.slice(0, most).forEach((card) => { card.hidden = false; });
  document.querySelector("#none").hidden = found.length > 0;
  more.hidden = found.length <= most;
  more.textContent = `Show ${Math.min(STEP, found.length - most)} more of ${found.length - most}`;
}

buttons.forEach((button) => button.addEventListener("click", () => {
  wanted = button.dataset.filter;
  most = STEP;
  buttons.forEach((other) => other.setAttribute("aria-pressed", other === button));
  show();
}));
if (cards.length) {
  more.addEventListener("click", () => { most += STEP; show(); });
  show();
}
