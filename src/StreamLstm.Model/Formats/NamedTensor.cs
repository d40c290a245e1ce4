namespace StreamLstm.Model.Formats;

/// <summary>A tensor of float32 with its name.</summary>
/// <param name="Name">As the file has it.</param>
/// <param name="Sizes">Outermost first, each 1 or more; none for a single value.</param>
/// <param name="Values">Row-major: as many as the sizes' product.</param>
internal sealed record NamedTensor(string Name, int[] Sizes, float[] Values);
