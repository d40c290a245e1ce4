namespace StreamLstm.Benchmarks.LongMemory.Problems;

/// <summary>A task that cannot be done without remembering what came long ago.</summary>
internal interface ISequenceProblem
{
    string Name { get; }

    /// <summary>What <see cref="Error"/> measures.</summary>
    string ErrorName { get; }

    int InputSize { get; }

    int OutputSize { get; }

    /// <summary>The mean error of the best answer that remembers nothing.</summary>
    double GuessingError { get; }

    /// <summary>A network whose mean error is at most this has solved the problem.</summary>
    double SolvedError { get; }

    /// <summary>Steps of a sequence that asks for a memory of <paramref name="lag"/> steps.</summary>
    int Steps(int lag);

    /// <summary>Draws a sequence.</summary>
    /// <param name="random">Chance.</param>
    /// <param name="inputs">Filled: (T, I).</param>
    /// <returns>What should be answered after the last step.</returns>
    float Draw(Random random, Span<float> inputs);

    /// <summary>dLoss/d(answer) (O).</summary>
    void Gradient(ReadOnlySpan<float> answer, float target, Span<float> gradient);

    /// <summary>The error of one answer.</summary>
    double Error(ReadOnlySpan<float> answer, float target);
}
