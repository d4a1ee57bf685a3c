/**
 * The arrows between the rooms, and the one room of each driver package (docs/ARCHITECTURE.md, "The rooms").
 * `npm run build` fails when an import goes against them.
 */
const room = (name) => `^${name}/`;
const unitTest = '\\.test\\.ts$';

/** A driver package and the only folder that may import it. */
const drivers = {
  ioredis: 'engine/redis/',
  amqplib: 'engine/broker/',
  kysely: 'engine/database/',
  mariadb: 'engine/database/',
  'uWebSockets\\.js': 'api/http/',
  croner: 'engine/domain/',
  'fast-jwt': 'engine/token/',
  autocannon: 'bench/',
  'prom-client': 'engine/runtime/',
};

const driverRules = Object.entries(drivers).map(([driver, home]) => ({
  name: `only-${home}-imports-${driver.replace('\\', '')}`,
  comment: `${driver} is a driver: wrap what you need in ${home} and import that.`,
  severity: 'error',
  from: { pathNot: [`^${home}`, unitTest, '^test/'] },
  to: { path: `node_modules/(@types/)?${driver}/` },
}));

export default {
  forbidden: [
    {
      name: 'engine-knows-no-other-room',
      comment: 'lua <- engine <- {api, writer} <- cli: the engine imports nobody.',
      severity: 'error',
      from: { path: room('engine'), pathNot: unitTest },
      to: { path: '^(api|writer|cli|bench|test)/' },
    },
    {
      name: 'writer-knows-only-the-engine',
      comment: 'The api and the writer never meet.',
      severity: 'error',
      from: { path: room('writer'), pathNot: unitTest },
      to: { path: '^(api|cli|bench|test)/' },
    },
    {
      name: 'api-knows-only-the-engine',
      comment: 'The api and the writer never meet.',
      severity: 'error',
      from: { path: room('api'), pathNot: unitTest },
      to: { path: '^(writer|cli|bench|test)/' },
    },
    {
      name: 'nobody-imports-test-or-bench',
      comment: 'Tests and benches speak from outside; only a unit test may use test/.',
      severity: 'error',
      from: { pathNot: [unitTest, '^(test|bench)/', '^vitest\\.config'] },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'tsyringe-only-in-composition-roots',
      comment: 'Classes keep plain constructors; only container.ts wires them.',
      severity: 'error',
      from: { pathNot: '(^|/)container\\.ts$' },
      to: { path: 'node_modules/tsyringe/' },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['unknown', 'undetermined', 'npm-no-pkg', 'npm-unknown'] },
    },
    ...driverRules,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
