using StreamLstm.Model;
using StreamLstm.Model.Formats;
using StreamLstm.Sample;

if (Samples.Run(args)) return;                                        // text, sound, video, sequences: the files beside this one

var shape = new LstmShape(inputSize: 1, hiddenSize: 32, layerCount: 2, outputSize: 1);
LstmWeights weights = WeightInitializer.Create(shape, seed: 1);       // or a PyTorch model's:
if (args is [var file]) weights = TorchStateDict.Read(File.OpenRead(file));

var states = new float[1000 * weights.Shape.StateSize];               // h and c of a thousand streams
var scratch = new LstmScratch(weights.Shape);
var outputs = new float[2];
LstmNetwork.Step(weights, inputs: [0.5f, -1.2f], states, rows: [3, 999], outputs, scratch);   // two of them have news

Console.WriteLine($"forecasts: {outputs[0]:F4} {outputs[1]:F4}");
