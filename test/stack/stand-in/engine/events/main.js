// Stands in for the scheduler where only the launcher is tested.
const timer = setInterval(() => {}, 1_000);
process.on('SIGTERM', () => clearInterval(timer));
