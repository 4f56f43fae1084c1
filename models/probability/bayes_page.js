// Bayes' rule on the page: the tables of the points, objects given a class, the cat's square.
const shown = (p) => (Number.isNaN(p) ? "–" : p.toFixed(3));
const sum = (a) => a.reduce((s, v) => s + v, 0);

// p(x, y) of counts [x][y], p(y|x) by rows, p(x|y) by columns; 0/0 is NaN
function tablesOf(counts) {
  const all = sum(counts.flat());
  const joint = counts.map((row) => row.map((n) => n / all));
  const rows = joint.map(sum);
  const columns = [0, 1].map((y) => joint[0][y] + joint[1][y]);
  return {
    "p(x, y)": joint,
    "p(y|x)": joint.map((row, x) => row.map((p) => p / rows[x])),
    "p(x|y)": joint.map((row) => row.map((p, y) => p / columns[y])),
  };
}

// p(x|y=1) and p(y=1) of p(x), which need not have the sum 1, and p(y=1|x)
function turned(share, event) {
  const all = sum(share);
  const both = share.map((p, i) => (p / all) * event[i]);
  const total = sum(both);
  return { back: both.map((p) => p / total), total };
}

// p(z=1|x) of the prior p(z=1) and the two likelihoods
function posterior(prior, ifCat, ifNot) {
  const cat = prior * ifCat;
  return cat / (cat + (1 - prior) * ifNot);
}

function start(document) {
  for (const box of document.querySelectorAll(".bayes.points")) {
    const count = (x, y) => box.querySelector(`[data-count="${x}${y}"]`);
    const counts = () => [0, 1].map((x) => [0, 1].map((y) => Number(count(x, y).textContent)));
    const show = () => {
      for (const [name, values] of Object.entries(tablesOf(counts()))) {
        const cells = box.querySelectorAll(`[data-table="${name}"] td`);
        values.flat().forEach((p, i) => (cells[i].textContent = shown(p)));
      }
    };
    for (const button of box.querySelectorAll("[data-by]")) {
      button.onclick = () => {
        const cell = count(button.dataset.x, button.dataset.y);
        cell.textContent = Math.max(0, Number(cell.textContent) + Number(button.dataset.by));
        show();
      };
    }
    box.querySelector(".draw").onclick = () => {
      let u = Math.random() * sum(counts().flat());
      for (const [x, row] of counts().entries()) {
        for (const [y, n] of row.entries()) {
          if (u >= 0 && u < n) box.querySelector(".drawn").textContent = `(${x}, ${y})`;
          u -= n;
        }
      }
    };
  }
  for (const box of document.querySelectorAll(".bayes.objects")) {
    const values = (name) =>
      [...box.querySelectorAll(`[data-name="${name}"]`)].map((i) => Number(i.value));
    box.oninput = (event) => {
      event.target.nextElementSibling.textContent = shown(Number(event.target.value));
      const { back, total } = turned(values("share"), values("event"));
      box.querySelectorAll(".back").forEach((cell, i) => (cell.textContent = shown(back[i])));
      box.querySelector(".total").textContent = shown(total);
    };
  }
  for (const box of document.querySelectorAll(".bayes.cat")) {
    const value = { ...JSON.parse(box.dataset.cat) };
    const place = (name, x, y, width, height) => {
      const part = box.querySelector(`rect.${name}`);
      Object.entries({ x, y, width, height }).forEach(([k, v]) => part.setAttribute(k, 100 * v));
    };
    const show = () => {
      const { prior, if_cat, if_not } = value;
      place("a", 0, 1 - if_cat, prior, if_cat);
      place("b", 0, 0, prior, 1 - if_cat);
      place("c", prior, 1 - if_not, 1 - prior, if_not);
      place("d", prior, 0, 1 - prior, 1 - if_not);
      box.querySelector(".after").textContent = shown(posterior(prior, if_cat, if_not));
    };
    box.oninput = (event) => {
      value[event.target.dataset.name] = Number(event.target.value);
      event.target.nextElementSibling.textContent = shown(Number(event.target.value));
      show();
    };
    show();
  }
}
if (typeof document !== "undefined") start(document);
