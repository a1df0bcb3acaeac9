// Draws the charts of the chosen task type and period, and says the same in tables. Names from outside only
// ever become text: by textContent here, and by Vega, which draws them as text.
"use strict";
(() => {
  const payload = JSON.parse(document.getElementById("payload").textContent);
  const { specs, data } = payload;
  const taskType = document.getElementById("task-type");
  const period = document.getElementById("period");
  if (!taskType) return;

  const STATES = ["leader", "may be as good", "surely behind", "too little tried"];
  const Z = 1.959963984540054;
  const DAY = 86400000;
  const percent = (rate) => (rate === null || rate === undefined ? "" : (rate * 100).toFixed(1) + "%");
  const day = (first, number) => new Date(Date.parse(first + "T00:00:00Z") + number * DAY).toISOString().slice(0, 10);

  function wilson(k, n) {
    const centre = (k + (Z * Z) / 2) / (n + Z * Z);
    const half = (Z * Math.sqrt((k * (n - k)) / n + (Z * Z) / 4)) / (n + Z * Z);
    return [Math.max(0, centre - half), Math.min(1, centre + half)];
  }

  const rankings = data.rankings.map(([task, model, rank, state, trials, rate, lower, upper, best, cost], place) => ({
    task, place, rank, trials, state: STATES[state], model_id: data.models[model], success_rate: rate,
    success_rate_lower: lower, success_rate_upper: upper, probability_best: best, cost_per_success: cost,
  }));

  const lastDay = data.days.reduce((last, [, , first, trials]) => {
    const own = day(first, trials.length - 1);
    return own > last ? own : last;
  }, "");

  function since() {
    const days = Number(period.value);
    return days ? day(lastDay, 1 - days) : "";
  }

  function ranking(task) {
    return rankings.filter((row) => row.task === task && row.trials > 0);
  }

  function costs(task) {
    const priced = ranking(task).filter((row) => row.cost_per_success > 0 && row.rank !== null);
    return priced.map((row) => ({
      ...row,
      is_on_frontier: !priced.some(
        (other) => other.cost_per_success <= row.cost_per_success && other.success_rate >= row.success_rate &&
          (other.cost_per_success < row.cost_per_success || other.success_rate > row.success_rate)),
    }));
  }

  function days(task) {
    const rows = [];
    const places = new Map(ranking(task).map((row) => [row.model_id, row.place]));
    const cells = data.days.filter(([own]) => own === task).map((cell) => [data.models[cell[1]], ...cell.slice(2)]);
    cells.sort((a, b) => (places.get(a[0]) ?? 1e9) - (places.get(b[0]) ?? 1e9));
    for (const [model_id, first, trials, successes, alarms] of cells) {
      const rings = new Set(alarms);
      let weekTrials = 0;
      let weekSuccesses = 0;
      trials.forEach((n, number) => {
        const k = successes[number];
        weekTrials += n - (trials[number - 7] ?? 0);
        weekSuccesses += k - (successes[number - 7] ?? 0);
        const own = day(first, number);
        if (own < since()) return;
        const [lower, upper] = n ? wilson(k, n) : [null, null];
        rows.push({ model_id, place: places.get(model_id) ?? 1e9, day: own, trials: n, successes: k, rate: n ? k / n : null, lower, upper,
          trailing: weekTrials ? weekSuccesses / weekTrials : null, alarm: rings.has(number) });
      });
    }
    return rows;
  }

  function comparisons(task) {
    const rows = [];
    for (const [id, incumbent, challenger, own, decided, seen] of data.comparisons) {
      if (own !== null && own !== task) continue;
      for (const [at, difference, lower, upper] of seen) {
        if (at < since()) continue;
        rows.push({ experiment_id: id, title: challenger + " against " + incumbent + " (" + id + ")", day: at, difference,
          difference_lower: lower, difference_upper: upper, is_decided: at === decided });
      }
    }
    return rows;
  }

  const CHARTS = {
    ranking: [ranking, [["rank", "rank"], ["model", "model_id"], ["trials", "trials"], ["success rate", "success_rate", percent],
      ["from", "success_rate_lower", percent], ["to", "success_rate_upper", percent], ["state", "state"],
      ["chance of being best", "probability_best", percent]], "No model has a trial."],
    days: [days, [["day", "day"], ["model", "model_id"], ["trials", "trials"], ["successes", "successes"],
      ["success rate", "rate", percent], ["from", "lower", percent], ["to", "upper", percent],
      ["trailing 7 days", "trailing", percent], ["alarm", "alarm", (is) => (is ? "alarm" : "")]], "No outcome in this period."],
    costs: [costs, [["model", "model_id"], ["US dollars per success", "cost_per_success"], ["success rate", "success_rate", percent],
      ["unbeaten", "is_on_frontier", (is) => (is ? "yes" : "")]], "No model of this task type has a known cost per success."],
    comparisons: [comparisons, [["day", "day"], ["comparison", "title"], ["difference", "difference", percent],
      ["from", "difference_lower", percent], ["to", "difference_upper", percent],
      ["", "is_decided", (is) => (is ? "decided" : "")]], "No comparison of this task type in this period."],
  };

  function table(rows, columns) {
    const made = document.createElement("table");
    const head = made.createTHead().insertRow();
    for (const [title] of columns) head.appendChild(Object.assign(document.createElement("th"), { textContent: title }));
    const body = made.createTBody();
    for (const row of rows) {
      const line = body.insertRow();
      for (const [, name, text] of columns) {
        const value = row[name];
        line.insertCell().textContent = text ? text(value) : value === null || value === undefined ? "" : String(value);
      }
    }
    return made;
  }

  function theme() {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(name).trim();
    const states = [0, 1, 2, 3].map((number) => of("--state-" + number));
    const ink = { labelColor: of("--ink"), titleColor: of("--faint"), labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" };
    return {
      background: null,
      font: "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif",
      range: { category: states },
      view: { stroke: of("--line") },
      axis: { ...ink, gridColor: of("--line"), domainColor: of("--line"), tickColor: of("--line") },
      legend: { ...ink, symbolSize: 90 },
      header: { ...ink, labelFontWeight: "bold" },
      area: { color: of("--accent") },
      line: { color: of("--accent") },
      rule: { color: of("--faint") },
      point: { color: of("--accent") },
      text: { color: of("--ink"), fontSize: 11 },
    };
  }

  function fitted(name, spec, width, rows) {
    if (!spec.facet) return { height: 24 * rows.length, ...spec, width, autosize: { type: "fit-x", contains: "padding" } };
    const wanted = name === "days" ? 290 : 420;
    const columns = Math.max(1, Math.min(name === "days" ? 4 : 2, Math.floor(width / wanted)));
    const panels = new Set(rows.map((row) => row.title ?? row.model_id)).size;
    return { ...spec, columns, spec: { ...spec.spec, width: Math.floor(width / Math.min(columns, Math.max(1, panels))) - 60 } };
  }

  async function draw() {
    const task = Number(taskType.value);
    const config = theme();
    document.documentElement.dataset.drawn = "no";
    for (const [name, [select, columns, none]] of Object.entries(CHARTS)) {
      const figure = document.getElementById(name);
      const chart = figure.querySelector(".chart");
      const rows = select(task);
      const details = figure.querySelector("details");
      details.querySelector("div").replaceChildren(table(rows, columns));
      details.hidden = rows.length === 0;
      chart.replaceChildren();
      if (!rows.length) {
        chart.appendChild(Object.assign(document.createElement("p"), { className: "none", textContent: none }));
        continue;
      }
      const spec = fitted(name, specs[name], chart.clientWidth, rows);
      const alarm = getComputedStyle(document.documentElement).getPropertyValue("--alarm").trim();
      const own = spec.facet ? { ...config, range: { category: [alarm] }, legend: { disable: true } } : config;
      await window.vegaEmbed(chart, { ...spec, datasets: { [name]: rows } },
        { ast: true, actions: false, renderer: "svg", config: own, defaultStyle: false, logLevel: 1 });
    }
    document.documentElement.dataset.drawn = "yes";
  }

  data.taskTypes.forEach((name, number) => taskType.add(new Option(name, String(number))));
  let running = Promise.resolve();
  const again = () => { running = running.then(draw); };
  taskType.addEventListener("change", again);
  period.addEventListener("change", again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  let width = window.innerWidth;
  addEventListener("resize", () => { if (window.innerWidth !== width) { width = window.innerWidth; again(); } });
  document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
  again();
})();
