// Comparing needs exactly two: the button waits for them, and further boxes for one to be let go.
export function pickTwo(root) {
  const boxes = () => [...root.querySelectorAll('input[name="job"]')];
  function judge() {
    const button = root.querySelector(".compare-bar .btn");
    if (!button) return;
    const count = boxes().filter((box) => box.checked).length;
    button.disabled = count !== 2;
    for (const box of boxes()) box.disabled = count >= 2 && !box.checked;
  }
  root.onchange = judge;
  judge();
  return judge;
}
