// One stream, large: value, what was expected, the band, anomalies, incidents, model swaps; the score below. Live, or of a range of the past.

import { brush } from './brush.js';
import { request, streamPath } from './access.js';
import { bounds, follows } from './range.js';
import { figure, moment, tick, colour } from './format.js';

const pointsKept = 600;
const stretches = 600;
const REFRESH = 10e3;
const nothing = 'Nothing is kept of this stream in this range.';
const SHOULD = 'what it should have looked like';
const left = 62, right = 18;

export class StreamChart {
  constructor(element, said, { onPick, onSelect, onBack }) {
    this.element = element;
    this.said = said;
    this.chart = window.echarts.init(element, null, { renderer: 'canvas' });
    this.points = [];       // as they came, the last ones
    this.history = [];      // of the range, or of before the points
    this.incidents = [];
    this.swaps = [];
    this.should = [];       // what a stretch should have looked like
    this.onPick = onPick;
    brush(element, (x, clamped) => this.timeAt(x, clamped), { onSelect, onClick: time => time !== null && this.pick(time) });
    element.addEventListener('dblclick', onBack);
    element.addEventListener('keydown', event => this.key(event));
    new ResizeObserver(() => this.chart.resize()).observe(element);
  }

  show(stream, range) {
    if (stream !== this.stream) this.points = [];
    [this.stream, this.range, this.history, this.cursor, this.asked] = [stream, range, [], null, 0];
    this.said.textContent = '';
    this.chart.clear();
    this.load();
  }

  /** Points of the feed: [ms, value, score, expected, lower, upper, alert]. */
  add(points) {
    for (const [time, value, score, expected, lower, upper, alert] of points) this.points.push({ time, value, score, expected, lower, upper, alert: alert === 1 });
    this.points.splice(0, Math.max(0, this.points.length - pointsKept));
  }

  /** What of the range the feed does not tell: all of the past, and what was before a restart. */
  async load() {
    if (!this.stream || (this.asked && Date.now() - this.asked < REFRESH)) return;
    if (this.asked && !follows(this.range)) return;
    this.asked = Date.now();
    const [stream, range] = [this.stream, this.range];
    const { from, to } = bounds(range);
    const answer = await request(`api/v1/history/${streamPath(stream)}?since=${new Date(from).toISOString()}&until=${new Date(to).toISOString()}&limit=${stretches}`).catch(() => null);
    if (stream !== this.stream || range !== this.range || !answer) return;
    if (!answer.ok) {
      this.said.textContent = range ? (await answer.json()).error : '';
      return;
    }
    this.history = (await answer.json()).scores.map(one => ({ ...one, time: Date.parse(one.time), at: Date.parse(one.score_at) }));
    this.draw();
  }

  /** What is drawn: points as they came where they reach far enough, else the history, with the points behind it. */
  drawn() {
    const { from, to } = bounds(this.range);
    const points = this.range ? this.points.filter(point => point.time >= from && point.time <= to) : this.points;
    const first = this.points[0]?.time ?? Infinity;
    if (this.range ? first <= from : this.points.length >= pointsKept) return points;
    const before = this.history.filter(one => one.time < first);
    if (this.range || before.length === 0) return [...before, ...points];
    // As much before the first point as there would be, had it not been restarted.
    const step = points.length > 1 ? (points.at(-1).time - first) / (points.length - 1) : 1000;
    return [...before.filter(one => one.time >= first - (pointsKept - points.length) * step), ...points];
  }

  draw(incidents = this.incidents, swaps = this.swaps) {
    [this.incidents, this.swaps] = [incidents, swaps];
    const points = this.shown = this.drawn();
    if (points.length === 0) {
      this.chart.clear();
      this.said.textContent ||= this.range && this.asked ? nothing : '';
      return;
    }
    if (this.said.textContent === nothing) this.said.textContent = '';
    const { from, to } = this.range ? bounds(this.range) : { from: points[0].time, to: points.at(-1).time };
    const own = incidents.filter(i => Date.parse(i.onset) <= to && (!i.closed_at || Date.parse(i.closed_at) >= from));
    const at = pick => points.map(point => [point.time, pick(point) ?? null]);
    const banded = point => point.lower !== undefined && point.lower !== null;
    const wide = points.some(point => point.max > point.min);
    const dim = colour('dim'), line = colour('line'), text = colour('text');
    const axis = { axisLine: { lineStyle: { color: line } }, axisLabel: { color: dim }, splitLine: { lineStyle: { color: line, opacity: 0.5 } } };
    const pointer = { show: true, label: { backgroundColor: dim, color: colour('surface'), formatter: ({ value }) => moment(value) } };

    this.chart.setOption({
      animation: false,
      grid: [{ left, right, top: 26, height: '60%' }, { left, right, bottom: 34, height: '20%' }],
      axisPointer: { link: [{ xAxisIndex: 'all' }] },
      tooltip: {
        trigger: 'axis', axisPointer: { type: 'cross', label: { backgroundColor: dim, color: colour('surface') } }, renderMode: 'richText', confine: true,
        backgroundColor: colour('surface'), borderColor: line, textStyle: { color: text, fontSize: 12 },
        formatter: items => this.describe(items[0]?.axisValue),
      },
      legend: {
        top: 0, right: 10, textStyle: { color: dim }, icon: 'roundRect', itemHeight: 8, itemWidth: 14,
        data: this.element.clientWidth < 480 ? ['value', ...(this.should.length ? [SHOULD] : []), '98 % band', 'score'] : ['value', ...(wide ? ['lowest to highest'] : []), 'expected', ...(this.should.length ? [SHOULD] : []), '98 % band', 'anomaly', 'score'],
      },
      xAxis: [
        { type: 'time', gridIndex: 0, min: from, max: to, ...axis, axisLabel: { show: false }, axisPointer: { ...pointer, label: { show: false } } },
        { type: 'time', gridIndex: 1, min: from, max: to, ...axis, axisLabel: { color: dim, lineHeight: 13, formatter: value => tick(value, to - from), hideOverlap: true }, axisPointer: pointer },
      ],
      yAxis: [
        { type: 'value', gridIndex: 0, scale: true, ...axis, axisLabel: { color: dim, formatter: figure }, axisPointer: { label: { formatter: ({ value }) => figure(value) } } },
        { type: 'value', gridIndex: 1, min: 0, max: 100, splitNumber: 2, ...axis, axisLabel: { color: dim, showMaxLabel: false }, axisPointer: { label: { formatter: ({ value }) => Math.round(value) } } },
      ],
      series: [
        // A band is drawn as its lower edge, unseen, with its width stacked on top.
        ...area('98 % band', 'band', at(p => banded(p) ? p.lower : null), at(p => banded(p) ? p.upper - p.lower : null), colour('band'), 0.4),
        ...(wide ? area('lowest to highest', 'wide', at(p => p.min), at(p => p.max - p.min), colour('value'), 0.25) : []),
        { name: 'expected', type: 'line', data: at(p => p.expected), symbol: 'none', lineStyle: { color: dim, width: 1, type: 'dashed' }, itemStyle: { color: dim } },
        ...(this.should.length ? [
          ...area('where it should have been', 'should', this.should.map(row => [row.time, row.lower]), this.should.map(row => [row.time, row.upper - row.lower]), colour('accent'), 0.16),
          { name: SHOULD, type: 'line', data: this.should.map(row => [row.time, row.expected]), symbol: 'none', silent: true, lineStyle: { color: colour('accent'), width: 2, type: 'dashed' }, itemStyle: { color: colour('accent') }, z: 4 },
        ] : []),
        {
          name: 'value', type: 'line', data: at(p => p.value), symbol: points.length === 1 ? 'circle' : 'none', lineStyle: { color: colour('value'), width: 1.6 }, itemStyle: { color: colour('value') },
          markArea: {
            silent: true, itemStyle: { color: colour('critical'), opacity: 0.13 },
            data: own.map(i => [{ xAxis: Math.max(from, Date.parse(i.onset)) }, { xAxis: i.closed_at ? Math.min(to, Date.parse(i.closed_at)) : to }]),
          },
          markLine: {
            silent: true, symbol: 'none', lineStyle: { color: colour('accent'), type: 'dashed' },
            label: { color: colour('accent'), formatter: mark => mark.name, position: 'insideEndTop' },
            data: swaps.filter(s => Date.parse(s.time) >= from && Date.parse(s.time) <= to).map(s => ({ name: `model ${s.version}`, xAxis: Date.parse(s.time) })),
          },
        },
        { name: 'anomaly', type: 'scatter', data: points.filter(p => p.alert).map(p => [p.time, extreme(p)]), symbolSize: 11, itemStyle: { color: colour('critical'), borderColor: colour('surface'), borderWidth: 1.5 }, z: 5 },
        { name: 'score', type: 'line', xAxisIndex: 1, yAxisIndex: 1, data: at(p => p.score), symbol: 'none', lineStyle: { color: colour('warning'), width: 1.4 }, itemStyle: { color: colour('warning') }, areaStyle: { color: colour('warning'), opacity: 0.15 } },
      ],
    }, { replaceMerge: ['series'] });
  }

  /** Rows of a stretch as it should have been, under the real ones; none to take them away. */
  reconstruct(rows) {
    if (rows.length === 0 && this.should.length === 0) return;
    this.should = rows;
    this.draw();
  }

  timeAt(x, clamped = false) {
    const width = this.element.clientWidth;
    if (!this.shown?.length || (!clamped && (x < left || x > width - right))) return null;
    return this.chart.convertFromPixel({ xAxisIndex: 0 }, Math.min(width - right, Math.max(left, x)));
  }

  nearest(time) {
    const distance = point => Math.abs(point.time - time);
    return this.shown.reduce((near, point) => distance(point) < distance(near) ? point : near);
  }

  /** Of what was told together, the observation with the highest score is asked for. */
  pick(time) {
    const point = this.nearest(time);
    this.onPick(new Date(point.at ?? point.time).toISOString());
  }

  /** Arrow keys walk from point to point, the enter key asks why. */
  key(event) {
    if (!this.shown?.length) return;
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -Infinity, End: Infinity }[event.key];
    if (step) {
      event.preventDefault();
      this.cursor = Math.max(0, Math.min(this.shown.length - 1, (this.cursor ?? this.shown.length - 1) + step));
      this.chart.dispatchAction({ type: 'showTip', seriesIndex: this.chart.getOption().series.findIndex(one => one.name === 'value'), dataIndex: this.cursor });
      this.said.textContent = this.describe(this.shown[this.cursor].time).replaceAll('\n', ', ');
    } else if (event.key === 'Enter' && this.cursor !== null) {
      this.pick(this.shown[this.cursor].time);
    }
  }

  describe(time) {
    if (time === undefined || !this.shown?.length) return '';
    const point = this.nearest(time);
    const band = point.expected === undefined || point.expected === null ? '' : `\nexpected ${figure(point.expected)} (${figure(point.lower)} to ${figure(point.upper)})`;
    const among = point.count > 1 ? `\nmean of ${point.count}, ${figure(point.min)} to ${figure(point.max)}` : '';
    return `${moment(point.time)}\nvalue ${figure(point.value)}${among}${band}\nscore ${Math.round(point.score)}`;
  }
}

/** Of what was told together the value that stands out most from the rest. */
const extreme = point => !(point.count > 1) ? point.value : point.max - point.value > point.value - point.min ? point.max : point.min;

function area(name, stack, lower, width, shade, opacity) {
  const common = { type: 'line', stack, symbol: 'none', lineStyle: { opacity: 0 }, silent: true, stackStrategy: 'all' };
  return [{ ...common, name: `${name}, lower`, data: lower }, { ...common, name, data: width, itemStyle: { color: shade }, areaStyle: { color: shade, opacity } }];
}
