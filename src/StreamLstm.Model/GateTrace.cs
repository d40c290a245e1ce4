using StreamLstm.Model.Training;

namespace StreamLstm.Model;

/// <summary>What a network's last layer kept, took in and gave out, step by step: for people to look at.</summary>
/// <param name="Cells">H: cells of the layer.</param>
/// <param name="Input">i (T, H), 0 to 1: how much of what comes is taken in.</param>
/// <param name="Forget">f (T, H), 0 to 1: how much of c is kept.</param>
/// <param name="Output">o (T, H), 0 to 1: how much of c is given out.</param>
/// <param name="Cell">c after each step (T, H).</param>
public sealed record GateTrace(int Cells, ReadOnlyMemory<float> Input, ReadOnlyMemory<float> Forget, ReadOnlyMemory<float> Output, ReadOnlyMemory<float> Cell)
{
    /// <summary>T: steps.</summary>
    public int Steps => Input.Length / Cells;

    /// <summary>Runs a network and keeps its gates. Changes nothing.</summary>
    /// <param name="weights">The network's.</param>
    /// <param name="inputs">(T, I); one step or more.</param>
    /// <param name="initialState">h and c before the first step (StateSize).</param>
    /// <exception cref="ArgumentException">A span has another length than the shape asks for, or there is no step.</exception>
    public static GateTrace Of(LstmWeights weights, ReadOnlySpan<float> inputs, ReadOnlySpan<float> initialState)
    {
        ArgumentNullException.ThrowIfNull(weights);
        int size = weights.Shape.HiddenSize, steps = inputs.Length / weights.Shape.InputSize;
        LstmNetwork.Require(initialState.Length, weights.Shape.StateSize, nameof(initialState));
        LstmNetwork.Require(inputs.Length, Math.Max(1, steps) * weights.Shape.InputSize, nameof(inputs));
        var throughTime = new BackpropagationThroughTime(weights.Shape, steps);
        throughTime.Forward(weights, inputs, initialState);
        float[][] parts = [new float[steps * size], new float[steps * size], new float[steps * size], new float[steps * size]];

        for (int step = 0; step < steps; step++)
        {
            ReadOnlySpan<float> gates = throughTime.LastGates(step);
            gates[..size].CopyTo(parts[0].AsSpan(step * size));
            gates.Slice(size, size).CopyTo(parts[1].AsSpan(step * size));
            gates[(3 * size)..].CopyTo(parts[2].AsSpan(step * size));
            throughTime.LastCell(step).CopyTo(parts[3].AsSpan(step * size));
        }

        return new GateTrace(size, parts[0], parts[1], parts[2], parts[3]);
    }
}
