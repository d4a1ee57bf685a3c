import { collectDefaultMetrics, type Metric, type MetricObjectWithValues, Registry } from 'prom-client';
import { Histogram } from './histogram.ts';
import { METRICS, type MetricName, type ProcessKind } from './metrics.ts';

/** One number, or one for each value of the metric's label; null and what is left out is not known now. */
export type Sample = number | null | ReadonlyMap<string, number> | Histogram;

export type Samples = { readonly [Name in MetricName]?: Sample | undefined };

/**
 * The page that Prometheus reads of one process: its part of the catalogue, and what prom-client knows of any Node.js
 * process. Nothing is collected in between: `read` is asked for all figures when the page is.
 */
export class MetricsPage {
  readonly #registry = new Registry();
  readonly #read: () => Samples | Promise<Samples>;
  #samples: Samples = {};

  constructor(process: ProcessKind, read: () => Samples | Promise<Samples>) {
    this.#read = read;
    collectDefaultMetrics({ register: this.#registry });
    for (const name of namesOf(process)) this.#registry.registerMetric(this.#metric(name));
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The text of the page (Prometheus text format 0.0.4). */
  async render(): Promise<string> {
    this.#samples = await this.#read();
    return await this.#registry.metrics();
  }

  /** prom-client asks a metric for its name and for its values, and no more. */
  #metric(name: MetricName): Metric {
    const { help, type } = METRICS[name];
    const get = async () => ({
      name,
      help,
      type,
      values: valuesOf(name, this.#samples[name]),
      aggregator: 'sum',
    });
    return { name, get } as unknown as Metric;
  }
}

function namesOf(process: ProcessKind): MetricName[] {
  return (Object.keys(METRICS) as MetricName[]).filter((name) => METRICS[name].of.includes(process));
}

type Values = MetricObjectWithValues<{ labels: object; value: number; metricName?: string }>['values'];

function valuesOf(name: MetricName, sample: Sample | undefined): Values {
  if (sample === null || sample === undefined) return [];
  if (sample instanceof Histogram) return bucketsOf(name, sample);
  if (typeof sample === 'number') return [{ labels: {}, value: sample }];
  const label = METRICS[name].labels[0]!;
  return Array.from(sample, ([key, value]) => ({ labels: { [label]: key }, value }));
}

function bucketsOf(name: string, histogram: Histogram): Values {
  const buckets = histogram.cumulative().map(({ bound, count }) => {
    const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound);
    return { metricName: `${name}_bucket`, labels: { le }, value: count };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: {}, value: histogram.sum },
    { metricName: `${name}_count`, labels: {}, value: histogram.count },
  ];
}
