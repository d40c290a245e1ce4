// An edge node of Sparkplug B with one device, by npm's sparkplug-client: births, then ROWS rows of data under aliases.
// On the line "go" it begins with the data; births are sent as soon as it is connected, and again when a host asks.
const SparkplugClient = require('sparkplug-client');
const [url, rows] = [process.argv[2], Number(process.argv[3])];
const node = SparkplugClient.newClient({
  serverUrl: url, username: '', password: '', groupId: 'plant', edgeNode: 'edge', clientId: 'edge-node', version: 'spBv1.0',
});

function births() {
  node.publishNodeBirth({ timestamp: Date.now(), metrics: [
    { name: 'Node Control/Rebirth', type: 'Boolean', value: false },
    { name: 'Inputs/Temperature', alias: 1, type: 'Double', value: 20, properties: { engUnit: { type: 'String', value: 'C' } } },
  ] });
  node.publishDeviceBirth('press', { timestamp: Date.now(), metrics: [{ name: 'Steps', alias: 10, type: 'Int32', value: -1 }] });
}

node.on('error', error => console.error(`${error}`));
node.on('birth', () => { births(); console.log('born'); });
node.on('ncmd', payload => {
  if (payload.metrics.some(metric => metric.name === 'Node Control/Rebirth' && metric.value)) {
    births();
    console.log('reborn');
  }
});
process.stdin.once('data', async () => {
  for (let row = 0; row < rows; row++) {
    const timestamp = Date.now();
    node.publishNodeData({ timestamp, metrics: [{ alias: 1, timestamp, type: 'Double', value: 21 + row }] });
    node.publishDeviceData('press', { timestamp, metrics: [{ alias: 10, timestamp, type: 'Int32', value: -2 - row }] });
    await new Promise(done => setTimeout(done, 10));
  }
  console.log('done');
});
