// Stands in for the command line where only the launcher is tested.
const [command, ...words] = process.argv.slice(2);
if (command === 'token') process.stdout.write(`token-of-${words[words.indexOf('--role') + 1]}\n`);
else process.stdout.write(`${command} ${words.join(' ')}\n`);
if (command === process.env.STAND_IN_FAILS) process.exit(1);
