/** A value of a series at a place on the x axis. */
export interface Point {
  readonly x: string;
  readonly y: number;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Chart {
  readonly title: string;
  /** With its unit. */
  readonly yTitle: string;
  readonly series: readonly Series[];
  readonly kind: 'bars' | 'lines';
  /** A logarithmic y axis: bars of a hundred and of ten thousand in one picture. */
  readonly logarithmic?: boolean;
}

const COLOURS = ['#7f7f7f', '#bc8f5f', '#4e79a7', '#76b7b2', '#e15759', '#f2b447', '#59a14f', '#b07aa1'];
const [WIDTH, HEIGHT] = [860, 340];
const AREA = { left: 78, right: 16, top: 44, bottom: 62 };
const [INNER_WIDTH, INNER_HEIGHT] = [WIDTH - AREA.left - AREA.right, HEIGHT - AREA.top - AREA.bottom];
const TICKS = 5;

/** Draws a chart as an inline SVG. */
export function drawChart(chart: Chart): string {
  const places = [...new Set(chart.series.flatMap(({ points }) => points.map(({ x }) => x)))];
  if (places.length === 0) return '';
  const scale = makeScale(chart);
  const marks = chart.series.map((series, at) => {
    const drawn = chart.kind === 'bars' ? drawBars : drawLine;
    return drawn({
      series,
      at,
      of: chart.series.length,
      places,
      scale,
      colour: COLOURS[at % COLOURS.length]!,
    });
  });
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeText(chart.title)}">
<text x="${AREA.left}" y="16" class="title">${escapeText(chart.title)}</text>
<text x="${AREA.left}" y="34" class="axis">${escapeText(chart.yTitle)}</text>
${drawAxes(places, scale)}${marks.join('')}${drawLegend(chart.series)}</svg>`;
}

/** Text as it may stand in HTML. */
export function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

interface Scale {
  /** Height above the x axis of a value, in pixels. */
  height(value: number): number;
  readonly ticks: readonly number[];
}

function makeScale({ series, logarithmic }: Chart): Scale {
  const values = series.flatMap(({ points }) => points.map(({ y }) => y)).filter((value) => value > 0);
  const most = Math.max(1, ...values) * 1.05;
  if (!logarithmic) {
    const step = niceStep(most / TICKS);
    const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, at) => at * step);
    return { height: (value) => (INNER_HEIGHT * value) / most, ticks };
  }
  const lowest = Math.floor(Math.log10(Math.min(...values)) - 0.01);
  const decades = Math.ceil(Math.log10(most)) - lowest;
  const height = (value: number) => (INNER_HEIGHT * Math.max(0, Math.log10(value) - lowest)) / decades;
  return { height, ticks: Array.from({ length: decades + 1 }, (_, at) => 10 ** (lowest + at)) };
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= rough)!;
}

interface Drawing {
  readonly series: Series;
  readonly at: number;
  readonly of: number;
  readonly places: readonly string[];
  readonly scale: Scale;
  readonly colour: string;
}

const floor = HEIGHT - AREA.bottom;

function drawBars({ series, at, of, places, scale, colour }: Drawing): string {
  const group = INNER_WIDTH / places.length;
  const width = (group * 0.8) / of;
  const bars = series.points.map(({ x, y }) => {
    const left = AREA.left + (places.indexOf(x) + 0.1) * group + at * width;
    const height = scale.height(y);
    const shape = `x="${left.toFixed(1)}" y="${(floor - height).toFixed(1)}" width="${(width - 1).toFixed(1)}" height="${height.toFixed(1)}"`;
    return `<rect ${shape} fill="${colour}"><title>${escapeText(`${series.name}, ${x}: ${format(y)}`)}</title></rect>`;
  });
  return bars.join('');
}

function drawLine({ series, places, scale, colour }: Drawing): string {
  const spots = series.points.map(({ x, y }) => ({
    x,
    y,
    left: middle(places, x),
    top: floor - scale.height(y),
  }));
  const path = spots.map(({ left, top }) => `${left.toFixed(1)},${top.toFixed(1)}`).join(' ');
  const dots = spots.map(({ x, y, left, top }) => {
    const title = `<title>${escapeText(`${series.name}, ${x}: ${format(y)}`)}</title>`;
    return `<circle cx="${left.toFixed(1)}" cy="${top.toFixed(1)}" r="4" fill="${colour}">${title}</circle>`;
  });
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}`;
}

function drawAxes(places: readonly string[], scale: Scale): string {
  const right = WIDTH - AREA.right;
  const lines = scale.ticks.map((tick) => {
    const top = (floor - scale.height(tick)).toFixed(1);
    const label = `<text x="${AREA.left - 6}" y="${top}" class="axis end">${format(tick)}</text>`;
    return `<line x1="${AREA.left}" x2="${right}" y1="${top}" y2="${top}" class="grid"/>${label}`;
  });
  const labels = places.map(
    (place) =>
      `<text x="${middle(places, place).toFixed(1)}" y="${floor + 16}" class="axis mid">${escapeText(place)}</text>`,
  );
  return [...lines, ...labels].join('');
}

function drawLegend(series: readonly Series[]): string {
  const step = INNER_WIDTH / Math.max(4, series.length);
  return series
    .map(({ name }, at) => {
      const left = AREA.left + at * step;
      const square = `<rect x="${left}" y="${HEIGHT - 24}" width="10" height="10" fill="${COLOURS[at % COLOURS.length]}"/>`;
      return `${square}<text x="${left + 14}" y="${HEIGHT - 15}" class="axis">${escapeText(name)}</text>`;
    })
    .join('');
}

function middle(places: readonly string[], place: string): number {
  return AREA.left + ((places.indexOf(place) + 0.5) * INNER_WIDTH) / places.length;
}

function format(value: number): string {
  return new Intl.NumberFormat('en', { maximumFractionDigits: value < 10 ? 2 : 0 }).format(value);
}
