const objects = [...document.querySelectorAll("#objects > details")];
const tools = document.querySelector(".tools");
if (tools) {
  const [box, button] = tools.children;
  const none = document.querySelector("#none");
  const texts = objects.map((each) => each.textContent.toLowerCase());
  tools.hidden = false;
  box.addEventListener("input", () => {
    const wanted = box.value.toLowerCase().trim();
    objects.forEach((each, number) => { each.hidden = !texts[number].includes(wanted); });
    none.hidden = objects.some((each) => !each.hidden);
  });
  button.addEventListener("click", () => {
    const open = objects.some((each) => !each.open);
    objects.forEach((each) => { each.open = open; });
  });
}
