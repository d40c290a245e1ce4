namespace StreamLstm.Benchmarks.LongMemory.Problems;

/// <summary>Add the two marked numbers of a long row (Hochreiter and Schmidhuber 1997, experiment 4).</summary>
/// <remarks>
/// Each step brings a number, uniform in [0, 1), and a marker, 0 or 1. The first marked number is in the first tenth
/// of the row, the second between there and the middle: both must be held for half the row or more. Loss and error are
/// the squared error; who always answers the mean, 1, has the variance of the sum, 1/6.
/// </remarks>
internal sealed class AddingProblem : ISequenceProblem
{
    public string Name => "adding";

    public string ErrorName => "mean squared error";

    public int InputSize => 2;

    public int OutputSize => 1;

    public double GuessingError => 1.0 / 6;

    public double SolvedError => 0.01;

    public int Steps(int lag) => lag;

    public float Draw(Random random, Span<float> inputs)
    {
        int steps = inputs.Length / InputSize;

        for (int step = 0; step < steps; step++)
        {
            inputs[step * InputSize] = random.NextSingle();
            inputs[step * InputSize + 1] = 0;
        }

        int first = random.Next(steps / 10);
        int second = random.Next(steps / 10, steps / 2);
        inputs[first * InputSize + 1] = 1;
        inputs[second * InputSize + 1] = 1;
        return inputs[first * InputSize] + inputs[second * InputSize];
    }

    public void Gradient(ReadOnlySpan<float> answer, float target, Span<float> gradient) =>
        gradient[0] = 2 * (answer[0] - target);

    public double Error(ReadOnlySpan<float> answer, float target) => Math.Pow(answer[0] - target, 2);
}
