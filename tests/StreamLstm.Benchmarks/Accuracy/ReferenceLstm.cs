using StreamLstm.Model;

namespace StreamLstm.Benchmarks.Accuracy;

/// <summary>The textbook in double and plain loops: the definition every kernel is held to.</summary>
internal static class ReferenceLstm
{
    /// <summary>Runs a window; outputs (T, O), and the state after it.</summary>
    public static (double[] Outputs, double[] State) Run(LstmShape shape, double[] parameters, double[] inputs, double[] initialState)
    {
        int size = shape.HiddenSize;
        int hiddenSize = shape.ProjectionSize > 0 ? shape.ProjectionSize : size;
        int steps = inputs.Length / shape.InputSize;
        double[] state = [.. initialState];
        var outputs = new double[steps * shape.OutputSize];

        for (int step = 0; step < steps; step++)
        {
            double[] below = inputs[(step * shape.InputSize)..((step + 1) * shape.InputSize)];
            int start = 0;

            for (int layer = 0; layer < shape.LayerCount; layer++)
            {
                int hiddenAt = layer * (hiddenSize + size), cellAt = hiddenAt + hiddenSize;
                double[] hidden = state[hiddenAt..cellAt];
                double[] cell = state[cellAt..(cellAt + size)];
                int inputSize = below.Length;
                int recurrent = start + 4 * size * inputSize;
                int bias = recurrent + 4 * size * hiddenSize;
                int projection = bias + 4 * size;

                double Gate(int row)
                {
                    double sum = parameters[bias + row];

                    for (int k = 0; k < inputSize; k++)
                    {
                        sum += parameters[start + k * 4 * size + row] * below[k];
                    }

                    for (int k = 0; k < hiddenSize; k++)
                    {
                        sum += parameters[recurrent + k * 4 * size + row] * hidden[k];
                    }

                    return sum;
                }

                var cellOutput = new double[size];

                for (int c = 0; c < size; c++)
                {
                    double i = Sigmoid(Gate(c));
                    double f = Sigmoid(Gate(size + c));
                    double g = Math.Tanh(Gate(2 * size + c));
                    double o = Sigmoid(Gate(3 * size + c));
                    double newCell = f * cell[c] + i * g;
                    state[cellAt + c] = newCell;
                    cellOutput[c] = o * Math.Tanh(newCell);
                }

                below = shape.ProjectionSize == 0
                    ? cellOutput
                    : [.. Enumerable.Range(0, hiddenSize).Select(r => cellOutput.Select((m, c) => m * parameters[projection + c * hiddenSize + r]).Sum())];
                below.CopyTo(state, hiddenAt);
                start = projection + shape.ProjectionSize * size;
            }

            for (int output = 0; output < shape.OutputSize; output++)
            {
                double sum = parameters[start + shape.OutputSize * hiddenSize + output];

                for (int k = 0; k < hiddenSize; k++)
                {
                    sum += parameters[start + k * shape.OutputSize + output] * below[k];
                }

                outputs[step * shape.OutputSize + output] = sum;
            }
        }

        return (outputs, state);
    }

    /// <summary>The forecast loss of a window as ForecastTrainer defines it.</summary>
    public static double Loss(
        ForecastShape shape, double[] parameters, double[] inputs, int[] anchors, int[] targets, double[] initialState,
        int firstScoredStep, float[] horizonWeights, double smoothing)
    {
        (double[] outputs, _) = Run(shape.Network, parameters, inputs, initialState);
        int horizons = shape.HorizonCount, bins = shape.BinCount;
        int count = targets.Skip(firstScoredStep * horizons).Count(target => target >= 0);
        double loss = 0;

        for (int step = firstScoredStep; step < targets.Length / horizons; step++)
        {
            for (int h = 0; h < horizons; h++)
            {
                int target = targets[step * horizons + h];

                if (target < 0)
                {
                    continue;
                }

                double[] logits = outputs[(step * horizons * bins + h * bins)..(step * horizons * bins + (h + 1) * bins)];

                for (int a = 0; a < shape.AnchorCount; a++)
                {
                    int anchor = anchors[(step * horizons + h) * shape.AnchorCount + a];

                    for (int b = 0; anchor >= 0 && b < bins; b++)
                    {
                        logits[b] += parameters[shape.Network.ParameterCount + (h * shape.AnchorCount + a) * shape.KernelSize + b - anchor + bins - 1];
                    }
                }

                double normalizer = Math.Log(logits.Sum(Math.Exp));
                int neighbours = (target > 0 ? 1 : 0) + (target < bins - 1 ? 1 : 0);

                for (int b = 0; b < bins; b++)
                {
                    double share = b == target ? 1 - neighbours * smoothing : Math.Abs(b - target) == 1 ? smoothing : 0;
                    loss -= horizonWeights[h] / count * share * (logits[b] - normalizer);
                }
            }
        }

        return loss;
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
