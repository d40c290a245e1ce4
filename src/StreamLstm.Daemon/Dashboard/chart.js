// One stream, large: value, what was expected, the band, anomalies, incidents, model swaps; the score below.

import { figure, clock, colour } from './format.js';

const pointsKept = 600;

export class StreamChart {
  constructor(element, onPick) {
    this.chart = window.echarts.init(element, null, { renderer: 'canvas' });
    this.points = [];
    this.chart.getZr().on('click', event => {
      if (this.points.length === 0) return;
      const time = this.chart.convertFromPixel({ xAxisIndex: 0 }, event.offsetX);
      const distance = point => Math.abs(Date.parse(point.time) - time);
      onPick(this.points.reduce((near, point) => distance(point) < distance(near) ? point : near).time);
    });
    new ResizeObserver(() => this.chart.resize()).observe(element);
  }

  show(stream) {
    this.stream = stream;
    this.points = [];
    this.chart.clear();
  }

  add(points) {
    this.points.push(...points);
    this.points.splice(0, Math.max(0, this.points.length - pointsKept));
  }

  draw(incidents, swaps) {
    if (this.points.length === 0) return;
    const first = Date.parse(this.points[0].time), last = Date.parse(this.points.at(-1).time);
    const own = incidents.filter(i => i.stream === this.stream && (!i.closed_at || Date.parse(i.closed_at) >= first));
    const at = pick => this.points.map(point => [point.time, pick(point) ?? null]);
    const banded = point => point.lower !== undefined && point.lower !== null;
    const dim = colour('dim'), line = colour('line'), text = colour('text');
    const axis = { axisLine: { lineStyle: { color: line } }, axisLabel: { color: dim }, splitLine: { lineStyle: { color: line, opacity: 0.5 } } };

    this.chart.setOption({
      animation: false,
      grid: [{ left: 62, right: 18, top: 26, height: '60%' }, { left: 62, right: 18, bottom: 26, height: '20%' }],
      axisPointer: { link: [{ xAxisIndex: 'all' }] },
      tooltip: {
        trigger: 'axis', renderMode: 'richText', backgroundColor: colour('surface'), borderColor: line, textStyle: { color: text, fontSize: 12 },
        formatter: items => this.describe(items[0]?.dataIndex),
      },
      legend: {
        top: 0, right: 10, textStyle: { color: dim }, icon: 'roundRect', itemHeight: 8, itemWidth: 14,
        data: ['value', 'expected', '98 % band', 'anomaly', 'score'],
      },
      dataZoom: [{ type: 'inside', xAxisIndex: [0, 1] }],
      xAxis: [
        { type: 'time', gridIndex: 0, min: first, max: last, ...axis, axisLabel: { show: false } },
        { type: 'time', gridIndex: 1, min: first, max: last, ...axis, axisLabel: { color: dim, formatter: value => clock(value), hideOverlap: true } },
      ],
      yAxis: [
        { type: 'value', gridIndex: 0, scale: true, ...axis, axisLabel: { color: dim, formatter: figure } },
        { type: 'value', gridIndex: 1, min: 0, max: 100, splitNumber: 2, ...axis },
      ],
      series: [
        // The band is drawn as its lower edge, unseen, with its width stacked on top.
        { name: 'lower', type: 'line', stack: 'band', data: at(p => banded(p) ? p.lower : null), symbol: 'none', lineStyle: { opacity: 0 }, silent: true, stackStrategy: 'all' },
        { name: '98 % band', type: 'line', stack: 'band', data: at(p => banded(p) ? p.upper - p.lower : null), symbol: 'none', lineStyle: { opacity: 0 }, itemStyle: { color: colour('band') }, areaStyle: { color: colour('band'), opacity: 0.4 }, silent: true, stackStrategy: 'all' },
        { name: 'expected', type: 'line', data: at(p => p.expected), symbol: 'none', lineStyle: { color: dim, width: 1, type: 'dashed' }, itemStyle: { color: dim } },
        {
          name: 'value', type: 'line', data: at(p => p.value), symbol: 'none', lineStyle: { color: colour('value'), width: 1.6 }, itemStyle: { color: colour('value') },
          markArea: {
            silent: true, itemStyle: { color: colour('critical'), opacity: 0.13 },
            data: own.map(i => [{ xAxis: Math.max(first, Date.parse(i.onset)) }, { xAxis: i.closed_at ? Math.min(last, Date.parse(i.closed_at)) : last }]),
          },
          markLine: {
            silent: true, symbol: 'none', lineStyle: { color: colour('accent'), type: 'dashed' },
            label: { color: colour('accent'), formatter: mark => mark.name, position: 'insideEndTop' },
            data: swaps.filter(s => Date.parse(s.time) >= first && Date.parse(s.time) <= last).map(s => ({ name: `model ${s.version}`, xAxis: Date.parse(s.time) })),
          },
        },
        { name: 'anomaly', type: 'scatter', data: this.points.filter(p => p.alert).map(p => [p.time, p.value]), symbolSize: 11, itemStyle: { color: colour('critical'), borderColor: colour('surface'), borderWidth: 1.5 }, z: 5 },
        { name: 'score', type: 'line', xAxisIndex: 1, yAxisIndex: 1, data: at(p => p.score), symbol: 'none', lineStyle: { color: colour('warning'), width: 1.4 }, itemStyle: { color: colour('warning') }, areaStyle: { color: colour('warning'), opacity: 0.15 } },
      ],
    }, { replaceMerge: ['series'] });
  }

  describe(index) {
    const point = this.points[index];
    if (!point) return '';
    const band = point.expected === undefined ? '' : `\nexpected ${figure(point.expected)} (${figure(point.lower)} to ${figure(point.upper)})`;
    return `${clock(point.time)}\nvalue ${figure(point.value)}${band}\nscore ${Math.round(point.score)}`;
  }
}
