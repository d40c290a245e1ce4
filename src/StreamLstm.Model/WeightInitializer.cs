using StreamLstm.Model.Kernels;

namespace StreamLstm.Model;

/// <summary>Weights to start training from: the same for the same seed, on every machine.</summary>
/// <remarks>
/// Input weights uniform after Glorot and Bengio 2010; recurrent weights orthogonal per gate (Saxe, McClelland and
/// Ganguli 2014), so that h neither grows nor fades; forget-gate bias 1 (Gers et al. 2000; Jozefowicz et al. 2015), so
/// that the cell state is kept from the start; small output weights, so that the first forecasts are nearly flat.
/// </remarks>
public static class WeightInitializer
{
    /// <summary>Weights of a forecasting network; its offset kernels start at zero.</summary>
    public static ForecastWeights Create(ForecastShape shape, ulong seed)
    {
        var weights = new ForecastWeights(shape);
        Fill(weights.Network, seed);
        return weights;
    }

    /// <summary>Weights of a plain network.</summary>
    public static LstmWeights Create(LstmShape shape, ulong seed)
    {
        var weights = new LstmWeights(shape);
        Fill(weights, seed);
        return weights;
    }

    private static void Fill(LstmWeights weights, ulong seed)
    {
        var random = new SplitMix64(seed);
        int size = weights.Shape.HiddenSize;
        int outputs = weights.Shape.HiddenStateSize;

        for (int layer = 0; layer < weights.Shape.LayerCount; layer++)
        {
            LstmLayer views = weights.Layer(layer);
            double limit = Math.Sqrt(6.0 / (views.InputSize + size));

            for (int i = 0; i < views.InputWeights.Length; i++)
            {
                views.InputWeights[i] = (float)(limit * (2 * random.NextDouble() - 1));
            }

            for (int gate = 0; gate < 4; gate++)
            {
                FillOrthogonal(views.RecurrentWeights, gate, size, outputs, ref random);
            }

            views.Bias.Clear();
            views.Bias.Slice(size, size).Fill(1);

            for (int i = 0; i < views.ProjectionWeights.Length; i++)
            {
                views.ProjectionWeights[i] = (float)(random.NextNormal() / Math.Sqrt(size));
            }
        }

        for (int i = 0; i < weights.OutputWeights.Length; i++)
        {
            weights.OutputWeights[i] = (float)(0.1 / Math.Sqrt(outputs) * random.NextNormal());
        }
    }

    /// <summary>Gram-Schmidt on normal vectors: the (H, hidden state) block of one gate gets orthonormal columns.</summary>
    private static void FillOrthogonal(Span<float> recurrent, int gate, int size, int columnCount, ref SplitMix64 random)
    {
        var columns = new double[columnCount][];

        for (int k = 0; k < columnCount; k++)
        {
            var column = new double[size];

            for (int r = 0; r < size; r++)
            {
                column[r] = random.NextNormal();
            }

            for (int other = 0; other < k; other++)
            {
                double product = Dot(column, columns[other]);

                for (int r = 0; r < size; r++)
                {
                    column[r] -= product * columns[other][r];
                }
            }

            double norm = Math.Sqrt(Dot(column, column));

            for (int r = 0; r < size; r++)
            {
                column[r] /= norm;
                recurrent[k * 4 * size + gate * size + r] = (float)column[r];
            }

            columns[k] = column;
        }

        static double Dot(double[] a, double[] b)
        {
            double sum = 0;

            for (int i = 0; i < a.Length; i++)
            {
                sum += a[i] * b[i];
            }

            return sum;
        }
    }
}
