using StreamLstm.Model;

namespace StreamLstm.Tests.Support;

/// <summary>The textbook in double and plain loops: the definition every kernel is held to.</summary>
internal static class ReferenceLstm
{
    /// <summary>Runs a window; outputs (T, O), and the state after it.</summary>
    public static (double[] Outputs, double[] State) Run(LstmShape shape, double[] parameters, double[] inputs, double[] initialState)
    {
        int size = shape.HiddenSize;
        int steps = inputs.Length / shape.InputSize;
        double[] state = [.. initialState];
        var outputs = new double[steps * shape.OutputSize];

        for (int step = 0; step < steps; step++)
        {
            double[] below = inputs[(step * shape.InputSize)..((step + 1) * shape.InputSize)];
            int start = 0;

            for (int layer = 0; layer < shape.LayerCount; layer++)
            {
                double[] hidden = state[(2 * layer * size)..((2 * layer + 1) * size)];
                double[] cell = state[((2 * layer + 1) * size)..((2 * layer + 2) * size)];
                int inputSize = below.Length;
                int recurrent = start + 4 * size * inputSize;
                int bias = recurrent + 4 * size * size;

                double Gate(int row)
                {
                    double sum = parameters[bias + row];

                    for (int k = 0; k < inputSize; k++)
                    {
                        sum += parameters[start + k * 4 * size + row] * below[k];
                    }

                    for (int k = 0; k < size; k++)
                    {
                        sum += parameters[recurrent + k * 4 * size + row] * hidden[k];
                    }

                    return sum;
                }

                var newHidden = new double[size];

                for (int c = 0; c < size; c++)
                {
                    double i = Sigmoid(Gate(c));
                    double f = Sigmoid(Gate(size + c));
                    double g = Math.Tanh(Gate(2 * size + c));
                    double o = Sigmoid(Gate(3 * size + c));
                    double newCell = f * cell[c] + i * g;
                    state[(2 * layer + 1) * size + c] = newCell;
                    newHidden[c] = o * Math.Tanh(newCell);
                }

                newHidden.CopyTo(state, 2 * layer * size);
                below = newHidden;
                start = bias + 4 * size;
            }

            for (int output = 0; output < shape.OutputSize; output++)
            {
                double sum = parameters[start + shape.OutputSize * size + output];

                for (int k = 0; k < size; k++)
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
