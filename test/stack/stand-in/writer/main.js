// Stands in for the writer where only the launcher is tested.
const timer = setInterval(() => {}, 1_000);
process.on('SIGTERM', () => clearInterval(timer));
