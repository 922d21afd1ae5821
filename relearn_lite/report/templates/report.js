// The filter above the answers. Without scripts, all answers are shown.
const buttons = document.querySelectorAll("[data-filter]");
const cards = document.querySelectorAll("[data-tags]");

function choose(button) {
  const wanted = button.dataset.filter;
  buttons.forEach((other) => other.setAttribute("aria-pressed", other === button));
  cards.forEach((card) => { card.hidden = wanted !== "all" && !card.dataset.tags.split(" ").includes(wanted); });
  document.querySelector("#none").hidden = [...cards].some((card) => !card.hidden);
}

buttons.forEach((button) => button.addEventListener("click", () => choose(button)));
