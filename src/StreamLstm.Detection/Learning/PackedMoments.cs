using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using StreamLstm.Model.Training;

namespace StreamLstm.Detection.Learning;

/// <summary>What Adam remembers of the weights of one stream between two trainings, in half the bytes.</summary>
/// <remarks>
/// The second moment is kept as its root, so that both have the size of a gradient. Gradients are clipped to a norm of 1: at this
/// scale a half has eleven bits for all from 1.5e-8 to 1, where a step changes a moment by seven bits and more.
/// </remarks>
/// <param name="parameterCount">Parameters that are moved.</param>
internal sealed class PackedMoments(int parameterCount)
{
    private const float Scale = 4096;

    private readonly Half[] _first = new Half[parameterCount];
    private readonly Half[] _rootSecond = new Half[parameterCount];
    private long _stepCount;

    /// <summary>Lets an optimizer go on from them.</summary>
    public void Unpack(AdamOptimizer adam)
    {
        adam.StepCount = _stepCount;
        TensorPrimitives.ConvertToSingle(_first, adam.FirstMoment);
        TensorPrimitives.Multiply(adam.FirstMoment, 1 / Scale, adam.FirstMoment);
        TensorPrimitives.ConvertToSingle(_rootSecond, adam.SecondMoment);
        TensorPrimitives.Multiply(adam.SecondMoment, 1 / Scale, adam.SecondMoment);
        TensorPrimitives.Multiply(adam.SecondMoment, adam.SecondMoment, adam.SecondMoment);
    }

    /// <summary>Takes an optimizer's, which are overwritten.</summary>
    public void Pack(AdamOptimizer adam)
    {
        _stepCount = adam.StepCount;
        TensorPrimitives.Multiply(adam.FirstMoment, Scale, adam.FirstMoment);
        TensorPrimitives.ConvertToHalf(adam.FirstMoment, _first);
        TensorPrimitives.Sqrt(adam.SecondMoment, adam.SecondMoment);
        TensorPrimitives.Multiply(adam.SecondMoment, Scale, adam.SecondMoment);
        TensorPrimitives.ConvertToHalf(adam.SecondMoment, _rootSecond);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_stepCount);
        writer.Write(MemoryMarshal.AsBytes(_first.AsSpan()));
        writer.Write(MemoryMarshal.AsBytes(_rootSecond.AsSpan()));
    }

    public void Load(BinaryReader reader)
    {
        _stepCount = reader.ReadInt64();
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_first.AsSpan()));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_rootSecond.AsSpan()));
    }
}
