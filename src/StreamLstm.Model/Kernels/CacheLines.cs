using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace StreamLstm.Model.Kernels;

/// <summary>Calls memory into the cache before it is needed: with many streams theirs is not there.</summary>
public static class CacheLines
{
    private const int LineBytes = 64;

    /// <summary>Calls what begins somewhere into the cache. Waits for nothing, and does nothing where a machine cannot.</summary>
    /// <param name="first">Where it begins.</param>
    /// <param name="bytes">How long it is.</param>
    public static unsafe void Fetch<T>(ref readonly T first, int bytes)
    {
        if (!Sse.IsSupported)
        {
            return;
        }

        // A hint: should the collector move it meanwhile, another line is fetched, and nothing else happens.
#pragma warning disable CS8500 // of a managed type the address alone is taken
        var line = (byte*)Unsafe.AsPointer(ref Unsafe.AsRef(in first));
#pragma warning restore CS8500

        for (int offset = 0; offset < bytes; offset += LineBytes)
        {
            Sse.Prefetch0(line + offset);
        }
    }
}
