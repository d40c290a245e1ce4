'use strict';
const report = JSON.parse(document.getElementById('data').textContent);
const $ = id => document.getElementById(id);
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const figure = value => {
  if (value === null || value === undefined) return '–';
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e7) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
};
const pad = number => String(number).padStart(2, '0');
// UTC, as the files have it; rows without a time are told by their number.
const when = (time, timed) => {
  if (!timed) return `row ${Math.round(time / 1000)}`;
  const date = new Date(time);
  return `${date.getUTCFullYear()}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())} ${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:${pad(date.getUTCSeconds())}`;
};
const lasted = (from, to, timed) => {
  if (to === null) return 'open at the end';
  const seconds = Math.round((to - from) / 1000);
  if (!timed) return `${seconds} rows`;
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 360) / 10} h` : `${Math.round(seconds / 8640) / 10} days`;
};
const cell = (row, text, kind) => {
  const made = row.insertCell();
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
};

const { figures, streams, incidents } = report;
const labelled = figures.windows > 0;
$('span').textContent = report.span;
$('headline').textContent = report.headline;
for (const [name, value] of report.tiles) {
  const tile = document.createElement('div');
  tile.append(Object.assign(document.createElement('dt'), { textContent: name }), Object.assign(document.createElement('dd'), { textContent: value }));
  $('figures').append(tile);
}

if (report.comparison) {
  $('comparison').hidden = false;
  const head = $('comparison').querySelector('thead').insertRow();
  report.comparison.columns.forEach((name, i) => head.append(Object.assign(document.createElement('th'), { textContent: name, className: i ? 'number' : '' })));
  for (const line of report.comparison.rows) {
    const row = $('comparison').querySelector('tbody').insertRow();
    line.forEach((text, i) => cell(row, text, i ? 'number' : 'name'));
  }
}

const body = $('incidents').querySelector('tbody');
$('quiet').hidden = incidents.length > 0;
$('incidents').querySelector('.wide').hidden = incidents.length === 0;
$('incidents').querySelector('th.label').hidden = !labelled;
$('more').textContent = figures.incidents > incidents.length ? `and ${figures.incidents - incidents.length} less important ones` : '';
incidents.forEach((incident, index) => {
  const row = body.insertRow();
  row.className = incident.severity;
  row.tabIndex = 0;
  const timed = streams[incident.course]?.timed ?? report.timed;
  cell(row, incident.severity, 'severity');
  cell(row, incident.stream, 'name');
  cell(row, incident.why, 'why');
  cell(row, when(incident.onset, timed));
  cell(row, lasted(incident.onset, incident.closed, timed));
  cell(row, Math.round(incident.score), 'number');
  if (labelled) cell(row, incident.labelled ? 'yes' : 'no');
  const choose = () => {
    body.querySelectorAll('.chosen').forEach(other => other.classList.remove('chosen'));
    row.classList.add('chosen');
    if (streams[incident.course]) show(incident.course, incident);
  };
  row.addEventListener('click', () => { choose(); $('course').scrollIntoView({ block: 'nearest' }); });
  row.addEventListener('keydown', key => { if (key.key === 'Enter') choose(); });
  if (index === 0) queueMicrotask(() => { row.classList.add('chosen'); });
});

const SHOULD = 'what it should have looked like';
let chart, days, shown = 0, range = null;
function show(index, incident) {
  shown = index;
  const stream = streams[index];
  range = null;
  if (incident) {
    const end = incident.closed ?? stream.t.at(-1);
    const margin = Math.max(60 * stream.step, 1.5 * (end - incident.onset));
    range = [Math.max(stream.t[0], incident.onset - margin), Math.min(stream.t.at(-1), end + margin)];
  }
  draw();
}
function draw() {
  const stream = streams[shown];
  if (!stream) { $('course').hidden = true; return; }
  drawGates(stream);
  $('name').textContent = stream.name;
  $('streams').value = shown;
  $('note').textContent = [
    stream.columns > 1 ? `rows of ${stream.columns} values; the first is drawn, the score is the row's` : '',
    stream.rowsPerPoint > 1 ? `each point stands for up to ${stream.rowsPerPoint} rows, with their extremes` : '',
  ].filter(Boolean).join('; ');
  const own = incidents.filter(i => i.course === shown);
  const last = stream.t.at(-1);
  const dim = colour('dim'), line = colour('line'), text = colour('text');
  const axis = { axisLine: { lineStyle: { color: line } }, axisLabel: { color: dim, hideOverlap: true }, splitLine: { lineStyle: { color: line, opacity: 0.5 } } };
  const label = value => stream.timed ? when(value, true).slice(0, 16).replace(' ', '\n') : when(value, false);
  const at = values => stream.t.map((t, i) => [t, values[i]]);
  const both = stream.t.flatMap((t, i) => stream.low[i] === stream.high[i] ? [[t, stream.low[i]]] : [[t, stream.low[i]], [t, stream.high[i]]]);
  const area = (list, tint, opacity) => ({ silent: true, itemStyle: { color: colour(tint), opacity }, data: list.map(([from, to]) => [{ xAxis: from }, { xAxis: to ?? last }]) });
  const opacity = 0.2;
  chart ??= echarts.init($('chart'));
  chart.setOption({
    animation: false,
    grid: [{ left: 64, right: 20, top: 34, height: '52%' }, { left: 64, right: 20, bottom: 70, height: '15%' }],
    axisPointer: { link: [{ xAxisIndex: 'all' }] },
    tooltip: {
      trigger: 'axis', renderMode: 'richText', backgroundColor: colour('surface'), borderColor: line, textStyle: { color: text, fontSize: 12 },
      formatter: items => describe(stream, items[0].axisValue),
    },
    legend: { top: 2, right: 10, textStyle: { color: text }, icon: 'roundRect', itemHeight: 8, itemWidth: 14, data: ['value', ...(stream.columns > 1 ? [] : ['expected', '98 % band']), ...(stream.should ? [SHOULD] : []), 'incident', ...(stream.labels.length ? ['label'] : []), 'score'] },
    dataZoom: [
      { type: 'inside', xAxisIndex: [0, 1], startValue: range?.[0] ?? stream.t[0], endValue: range?.[1] ?? last },
      { type: 'slider', xAxisIndex: [0, 1], bottom: 6, height: 18, startValue: range?.[0] ?? stream.t[0], endValue: range?.[1] ?? last, labelFormatter: '', borderColor: line },
    ],
    xAxis: [
      { type: 'time', useUTC: true, gridIndex: 0, ...axis, axisLabel: { show: false } },
      { type: 'time', useUTC: true, gridIndex: 1, ...axis, axisLabel: { color: dim, formatter: label, hideOverlap: true, lineHeight: 14 } },
    ],
    yAxis: [
      { type: 'value', gridIndex: 0, scale: true, ...axis, axisLabel: { color: dim, formatter: figure } },
      { type: 'value', gridIndex: 1, min: 0, max: 100, splitNumber: 2, name: 'score', nameLocation: 'middle', nameGap: 40, nameTextStyle: { color: dim }, ...axis },
    ],
    series: [
      { name: 'lower', type: 'line', stack: 'band', data: at(stream.lower), symbol: 'none', lineStyle: { opacity: 0 }, silent: true, stackStrategy: 'all' },
      { name: '98 % band', type: 'line', stack: 'band', data: stream.t.map((t, i) => [t, stream.lower[i] === null ? null : stream.upper[i] - stream.lower[i]]), symbol: 'none', lineStyle: { opacity: 0 }, itemStyle: { color: colour('band') }, areaStyle: { color: colour('band'), opacity: 0.45 }, silent: true, stackStrategy: 'all' },
      { name: 'expected', type: 'line', data: at(stream.expected), symbol: 'none', lineStyle: { color: dim, width: 1, type: 'dashed' }, itemStyle: { color: dim } },
      ...(stream.should ? [{ name: SHOULD, type: 'line', data: stream.should.t.map((t, i) => [t, stream.should.expected[i]]), symbol: 'none', silent: true, lineStyle: { color: colour('accent'), width: 2, type: 'dashed' }, itemStyle: { color: colour('accent') }, z: 4 }] : []),
      { name: 'value', type: 'line', data: both, symbol: 'none', lineStyle: { color: colour('value'), width: 1.5 }, itemStyle: { color: colour('value') } },
      {
        name: 'incident', type: 'line', data: [], itemStyle: { color: colour('critical') }, markArea: area(own.map(i => [i.onset, i.closed]), 'critical', opacity),
        markLine: { silent: true, symbol: ['none', 'none'], lineStyle: { color: colour('critical'), type: 'solid', width: 1.2 }, label: { show: false }, data: own.map(i => ({ xAxis: i.onset })) },
      },
      { name: 'label', type: 'line', data: [], itemStyle: { color: colour('label') }, markArea: area(stream.labels, 'label', opacity) },
      { name: 'score', type: 'line', xAxisIndex: 1, yAxisIndex: 1, data: at(stream.score), symbol: 'none', lineStyle: { color: colour('warning'), width: 1.4 }, itemStyle: { color: colour('warning') }, areaStyle: { color: colour('warning'), opacity: 0.15 } },
    ],
  }, { notMerge: true });
}
const GATES = [
  ['forget', 'forget gate: dark keeps what the cell holds, light forgets it'],
  ['input', 'input gate: dark takes in what is new'],
  ['output', 'output gate: dark shows what the cell holds'],
  ['cell', 'cell state: the long-term memory, above zero in one colour and below in the other'],
];
/** A line for each cell, a column for each row of the stream around its strongest incident. */
function drawGates({ gates, timed }) {
  $('gates').hidden = !gates;
  if (!gates) return;
  $('gates-note').textContent = `The ${gates.steps} rows up to ${when(gates.until, timed)}, around its strongest incident.`;
  $('gates').querySelector('div').replaceChildren(...GATES.map(([gate, meaning]) => {
    const figure = document.createElement('figure');
    const canvas = Object.assign(document.createElement('canvas'), { width: gates.steps, height: gates.cells });
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', `${gate} of ${gates.cells} cells over ${gates.steps} rows`);
    canvas.style.height = `${5 * gates.cells}px`;
    figure.append(Object.assign(document.createElement('figcaption'), { textContent: meaning }), canvas);
    const context = canvas.getContext('2d');
    const [above, below] = [colour('accent'), colour('warning')];
    [...atob(gates[gate])].forEach((letter, i) => {
      const share = letter.charCodeAt(0) / 255, value = gate === 'cell' ? 2 * share - 1 : share;
      context.globalAlpha = Math.abs(value);
      context.fillStyle = value < 0 ? below : above;
      context.fillRect(Math.floor(i / gates.cells), i % gates.cells, 1, 1);
    });
    return figure;
  }));
}
function describe(stream, time) {
  let i = stream.t.findIndex(t => t >= time);
  if (i < 0) i = stream.t.length - 1;
  const value = stream.low[i] === stream.high[i] ? figure(stream.low[i]) : `${figure(stream.low[i])} to ${figure(stream.high[i])}`;
  const band = stream.expected[i] === null ? '' : `\nexpected ${figure(stream.expected[i])} (${figure(stream.lower[i])} to ${figure(stream.upper[i])})`;
  return `${when(stream.t[i], stream.timed)}\nvalue ${value}${band}\nscore ${Math.round(stream.score[i] ?? 0)}`;
}
function drawDays() {
  $('daily').hidden = report.days.length < 2;
  if (report.days.length < 2) return;
  const dim = colour('dim'), line = colour('line');
  days ??= echarts.init($('days'));
  days.setOption({
    animation: false, grid: { left: 44, right: 20, top: 12, bottom: 26 },
    tooltip: { trigger: 'axis', renderMode: 'richText', backgroundColor: colour('surface'), borderColor: line, textStyle: { color: colour('text'), fontSize: 12 } },
    xAxis: { type: 'category', data: report.days.map(day => day[0]), axisLabel: { color: dim, hideOverlap: true }, axisLine: { lineStyle: { color: line } } },
    yAxis: { type: 'value', minInterval: 1, axisLabel: { color: dim }, splitLine: { lineStyle: { color: line, opacity: 0.5 } } },
    series: [{ name: 'alerts', type: 'bar', barMaxWidth: 26, data: report.days.map(day => day[1]), itemStyle: { color: colour('critical') } }],
  }, { notMerge: true });
}

streams.forEach((stream, index) => $('streams').append(new Option(`${stream.name} (${stream.incidents} incidents)`, index)));
$('streams').hidden = streams.length < 2;
$('streams').addEventListener('change', event => show(Number(event.target.value), null));
$('whole').addEventListener('click', () => show(shown, null));
new ResizeObserver(() => { chart?.resize(); days?.resize(); }).observe(document.body);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { draw(); drawDays(); });
show(incidents[0]?.course ?? 0, incidents[0]);
drawDays();
