// Stands in for the api where only the launcher is tested.
import { createServer } from 'node:http';

const events = [];
const server = createServer((request, response) => {
  const answer = (status, body) => response.writeHead(status).end(JSON.stringify(body));
  if (request.url === '/readyz') return answer(200, {});
  if (request.url === '/environment') return answer(200, process.env);
  if (request.method === 'POST') events.push({ name: 'Demo sale', status: 'scheduled' });
  return answer(200, { items: events });
});
server.listen(Number(process.env.PORT), process.env.HOST);
process.on('SIGTERM', () => {
  if (process.env.STAND_IN_IS_STUBBORN) return;
  server.close();
  server.closeAllConnections();
});
