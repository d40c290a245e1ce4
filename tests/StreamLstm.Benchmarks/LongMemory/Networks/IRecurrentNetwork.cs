namespace StreamLstm.Benchmarks.LongMemory.Networks;

/// <summary>A network that reads a sequence from an empty memory and answers once, after the last step.</summary>
internal interface IRecurrentNetwork<T>
{
    /// <summary>All weights in one buffer.</summary>
    Span<T> Parameters { get; }

    /// <summary>dLoss/d(weights), laid out as they are.</summary>
    Span<T> Gradients { get; }

    /// <summary>The norm of dLoss/dh after each step of the sequence last carried back: (T).</summary>
    ReadOnlySpan<double> HiddenGradientNorms { get; }

    /// <summary>Reads a sequence.</summary>
    /// <param name="inputs">(T, I).</param>
    /// <returns>The answer (O), valid until the next call.</returns>
    ReadOnlySpan<T> Forward(ReadOnlySpan<T> inputs);

    /// <summary>Carries the gradient of the sequence last read back to every weight.</summary>
    /// <param name="answerGradient">dLoss/d(answer) (O).</param>
    void Backward(ReadOnlySpan<T> answerGradient);
}
