// Draws the charts of the chosen task type and period, and shows the same figures as tables. Names from outside become
// text only: by textContent and aria-label here, and in Vega, which draws them as text.
"use strict";
(() => {
  const { specs, states, data } = JSON.parse(document.getElementById("payload").textContent);
  const taskType = document.getElementById("task-type");
  const period = document.getElementById("period");
  if (!taskType) {
    document.documentElement.dataset.drawn = "yes";
    return;
  }

  const Z = 1.959963984540054;
  const DAY_MS = 86400000;
  const MIN_PANEL_PX = 60;
  const MAX_LABEL_PX = 220; // for the names of models beside a chart
  const isKnown = (value) => value !== null && value !== undefined;
  const percent = (rate) => (isKnown(rate) ? (rate * 100).toFixed(1) + "%" : "");
  const dollars = (cost) => (isKnown(cost) ? "$" + cost.toPrecision(3) : "");
  const day = (first, number) => new Date(Date.parse(first + "T00:00:00Z") + number * DAY_MS).toISOString().slice(0, 10);

  function wilson(k, n) {
    const centre = (k + (Z * Z) / 2) / (n + Z * Z);
    const half = (Z * Math.sqrt((k * (n - k)) / n + (Z * Z) / 4)) / (n + Z * Z);
    return [Math.max(0, centre - half), Math.min(1, centre + half)];
  }

  // The text beside a rate whose model lost attempts to the infrastructure.
  const lostOf = (lost, trials) =>
    lost ? `${lost.toLocaleString("en")} of ${(trials + lost).toLocaleString("en")} attempts lost` : "";

  const rankings = data.rankings.map(
    ([task, model, rank, state, trials, lost, isMuch, rate, lower, upper, best, cost], place) => ({
      task, place, rank, trials, state: states[state], model_id: data.models[model], success_rate: rate,
      success_rate_lower: lower, success_rate_upper: upper, probability_best: best, cost_per_success: cost,
      lost: lostOf(lost, trials),
      label: data.models[model] + (isMuch ? ` (${percent(lost / (trials + lost))} lost)` : ""),
    }));

  const lastDay = data.days.reduce((last, [, , first, trials]) => {
    const own = day(first, trials.length - 1);
    return own > last ? own : last;
  }, "");

  function since() {
    const days = Number(period.value);
    return days && lastDay ? day(lastDay, 1 - days) : "";
  }

  function ranking(task) {
    return rankings.filter((row) => row.task === task && row.trials > 0);
  }

  function costs(task) {
    const priced = ranking(task).filter((row) => row.cost_per_success > 0 && row.rank !== null);
    const beats = (other, row) =>
      other.cost_per_success <= row.cost_per_success && other.success_rate >= row.success_rate &&
      (other.cost_per_success < row.cost_per_success || other.success_rate > row.success_rate);
    return priced.map((row) => ({ ...row, is_on_frontier: !priced.some((other) => beats(other, row)) }));
  }

  function days(task) {
    const from = since();
    const rows = [];
    const places = new Map(ranking(task).map((row) => [row.model_id, row.place]));
    const cells = data.days.filter(([own]) => own === task).map((cell) => [data.models[cell[1]], ...cell.slice(2)]);
    for (const [model_id, first, trials, successes, alarms] of cells) {
      const alarmDays = new Set(alarms);
      const place = places.get(model_id) ?? 1e9;
      let weekTrials = 0;
      let weekSuccesses = 0;
      trials.forEach((n, number) => {
        const k = successes[number];
        weekTrials += n - (trials[number - 7] ?? 0);
        weekSuccesses += k - (successes[number - 7] ?? 0);
        const own = day(first, number);
        if (own < from) return;
        const [lower, upper] = n ? wilson(k, n) : [null, null];
        rows.push({ model_id, place, day: own, trials: n, successes: k, rate: n ? k / n : null, lower, upper,
          trailing: weekTrials ? weekSuccesses / weekTrials : null, alarm: alarmDays.has(number),
          is_alone: n > 0 && !trials[number + 1] && (!trials[number - 1] || day(first, number - 1) < from) });
      });
    }
    return rows.sort((a, b) => a.place - b.place);
  }

  function comparisons(task) {
    const from = since();
    const rows = [];
    for (const [id, incumbent, challenger, own, decided, allDays] of data.comparisons) {
      if (own !== null && own !== task) continue;
      const shownDays = allDays.filter(([at]) => at >= from);
      for (const [at, difference, lower, upper] of shownDays) {
        rows.push({ experiment_id: id, title: challenger + " against " + incumbent + " (" + id + ")", day: at, difference,
          difference_lower: lower, difference_upper: upper, is_decided: at === decided,
          is_alone: shownDays.length === 1 });
      }
    }
    return rows;
  }

  // The charts by name: rows, columns of the table, the rows that a screen reader reads out and each of them in words,
  // and the text that is shown if there are no rows.
  const CHARTS = {
    ranking: {
      rows: ranking,
      columns: [["rank", "rank"], ["model", "model_id"], ["trials", "trials"], ["success rate", "success_rate", percent],
        ["from", "success_rate_lower", percent], ["to", "success_rate_upper", percent], ["lost", "lost"],
        ["standing", "state"], ["chance of being best", "probability_best", percent]],
      readOut: (rows) => rows,
      inWords: (row) => `${row.model_id} ${percent(row.success_rate)} (${percent(row.success_rate_lower)} to ` +
        `${percent(row.success_rate_upper)}), ${row.state}` + (row.lost ? `, ${row.lost}` : ""),
      none: "No model has a trial.",
    },
    days: {
      rows: days,
      columns: [["day", "day"], ["model", "model_id"], ["trials", "trials"], ["successes", "successes"],
        ["success rate", "rate", percent], ["from", "lower", percent], ["to", "upper", percent],
        ["last 7 days", "trailing", percent], ["alarm", "alarm", (is) => (is ? "alarm" : "")]],
      readOut: (rows) => [...new Map(rows.map((row) => [row.model_id, row])).values()],
      inWords: (row) => `${row.model_id} ${percent(row.trailing) || "no trials"} in the seven days up to ${row.day}` +
        (row.alarm ? ", drift alarm" : ""),
      none: "No outcome in this period.",
    },
    costs: {
      rows: costs,
      columns: [["model", "model_id"], ["cost per success", "cost_per_success", dollars],
        ["success rate", "success_rate", percent], ["unbeaten", "is_on_frontier", (is) => (is ? "yes" : "")]],
      readOut: (rows) => rows,
      inWords: (row) => `${row.model_id} ${dollars(row.cost_per_success)} at ${percent(row.success_rate)}` +
        (row.is_on_frontier ? ", unbeaten" : ""),
      none: "No model of this task type has a known cost per success.",
    },
    comparisons: {
      rows: comparisons,
      columns: [["day", "day"], ["comparison", "title"], ["difference", "difference", percent],
        ["from", "difference_lower", percent], ["to", "difference_upper", percent],
        ["", "is_decided", (is) => (is ? "decided" : "")]],
      readOut: (rows) => [...new Map(rows.map((row) => [row.experiment_id, row])).values()],
      inWords: (row) => `${row.title} ${percent(row.difference)} (${percent(row.difference_lower)} to ` +
        `${percent(row.difference_upper)}) on ${row.day}`,
      none: "No comparison of this task type in this period.",
    },
  };

  function table(rows, columns) {
    const element = document.createElement("table");
    const head = element.createTHead().insertRow();
    for (const [title] of columns) head.appendChild(Object.assign(document.createElement("th"), { textContent: title }));
    const body = element.createTBody();
    for (const row of rows) {
      const line = body.insertRow();
      for (const [, name, text] of columns) {
        const value = row[name];
        line.insertCell().textContent = text ? text(value) : isKnown(value) ? String(value) : "";
      }
    }
    return element;
  }

  const ink = { labelColor: "var(--ink)", titleColor: "var(--faint)", labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" };
  const config = {
    background: null,
    font: "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif",
    view: { stroke: "var(--line)" },
    axis: { ...ink, gridColor: "var(--line)", domainColor: "var(--line)", tickColor: "var(--line)" },
    legend: { ...ink, symbolSize: 90 },
    header: { ...ink, labelFontWeight: "bold" },
    area: { color: "var(--accent)" },
    line: { color: "var(--accent)" },
    rule: { color: "var(--faint)" },
    point: { color: "var(--accent)" },
    text: { color: "var(--ink)", fontSize: 11 },
  };

  function widest(names) {
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = `12px ${config.font}`;
    return Math.max(...names.map((name) => pen.measureText(name).width));
  }

  function sized(spec, width) {
    spec.spec.width = Math.max(MIN_PANEL_PX, width);
    spec.facet.header.labelLimit = spec.spec.width;
  }

  // Vega-Lite can fit the width, but then warns about the height. So the width is calculated here.
  function fitted(name, spec, width, rows) {
    if (name === "costs") return { ...spec, width, autosize: { type: "fit", contains: "padding" } };
    if (name === "ranking") {
      const limit = Math.min(MAX_LABEL_PX, width / 3);
      const labels = Math.min(limit, widest(rows.map((row) => row.label)));
      const sized = { ...spec, width: Math.max(80, width - labels - 40), height: { step: 24 } };
      return { ...sized, config: { axisY: { labelLimit: limit } } };
    }
    const wanted = name === "days" ? 290 : 420;
    const panels = new Set(rows.map((row) => row.title ?? row.model_id)).size;
    const columns = Math.max(1, Math.min(name === "days" ? 4 : 2, Math.floor(width / wanted), panels));
    const panelled = structuredClone({ ...spec, columns });
    sized(panelled, Math.floor(width / columns) - 60);
    // Vega warns about a layer that has nothing to draw.
    const hasAlone = rows.some((row) => row.is_alone);
    panelled.spec.layer = panelled.spec.layer.filter((layer) => hasAlone || !(layer.name ?? "").startsWith("alone"));
    // All panels span the same days, even if a layer has no rows (no alarm, no verdict).
    const span = rows.reduce(([from, to], row) => [row.day < from ? row.day : from, row.day > to ? row.day : to],
      [rows[0].day, rows[0].day]);
    // A single day is drawn in the middle, between its neighbours.
    if (span[0] === span[1]) span.splice(0, 2, day(span[0], -1), day(span[1], 1));
    for (const { encoding } of panelled.spec.layer) if (encoding.x) encoding.x.scale.domain = span;
    return panelled;
  }

  async function draw() {
    const task = Number(taskType.value);
    document.documentElement.dataset.drawn = "no";
    for (const row of document.querySelectorAll("#quality-table tbody tr")) {
      row.hidden = row.dataset.taskType !== taskType.value;
    }
    for (const [name, { rows: select, columns, readOut, inWords, none }] of Object.entries(CHARTS)) {
      const figure = document.getElementById(name);
      const chart = figure.querySelector(".chart");
      const rows = select(task);
      const details = figure.querySelector("details");
      details.querySelector("div").replaceChildren(table(rows, columns));
      details.hidden = rows.length === 0;
      chart.replaceChildren();
      const title = figure.querySelector("h3").textContent;
      const about = data.taskTypes[task] + (name === "ranking" || name === "costs" ? "" : `, ${period.selectedOptions[0].text}`);
      figure.querySelector(".about").textContent = about;
      const words = rows.length ? readOut(rows).map(inWords).join("; ") : none;
      chart.setAttribute("aria-label", `${title}, ${data.taskTypes[task]}: ${words}`);
      if (!rows.length) {
        chart.appendChild(Object.assign(document.createElement("p"), { className: "none", textContent: none }));
        continue;
      }
      const spec = fitted(name, specs[name], chart.clientWidth, rows);
      // In an inner element, since Vega sets an aria-label of its own on the element that it gets.
      const canvas = chart.appendChild(document.createElement("div"));
      const legend = { ...config.legend, columns: chart.clientWidth < 400 ? 1 : chart.clientWidth < 560 ? 2 : 4 };
      const embed = () => window.vegaEmbed(canvas, { ...spec, datasets: { [name]: rows } },
        { ast: true, actions: false, renderer: "svg", config: { ...config, legend }, defaultStyle: false });
      await embed();
      // The width of the axes is known only after the panels are drawn.
      const excess = canvas.querySelector("svg").getBoundingClientRect().width - chart.clientWidth;
      if (spec.facet && excess > 0) {
        sized(spec, spec.spec.width - Math.ceil(excess / spec.columns));
        await embed();
      }
    }
    document.documentElement.dataset.drawn = "yes";
  }

  data.taskTypes.forEach((name, number) => taskType.add(new Option(name, String(number))));
  let running = Promise.resolve();
  const again = () => { running = running.then(draw); };
  taskType.addEventListener("change", again);
  period.addEventListener("change", again);
  let width = window.innerWidth;
  addEventListener("resize", () => { if (window.innerWidth !== width) { width = window.innerWidth; again(); } });
  document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
  again();
})();
